// Opens pages of tenants that share a host in a real browser, and prints what the one on top can read of the other as one
// JSON object: `{<reader>: {<of>: {dom, cookie, storage, fetched, popup}}}`.
// Surprising constraint: the package's own list of flags turns the browser's same-origin policy off, so none of them is used.
import packed from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const [url, ...pairs] = process.argv.slice(2);
const SECRET = "what only this tenant's own pages may read";

const browser = await chromium.launch({
  executablePath: await packed.executablePath(),
  args: ["--no-sandbox", "--no-zygote"],
});
const seen = {};
for (const pair of pairs) {
  const [reader, of] = pair.split(":");
  seen[pair] = await look(reader, of);
}
await browser.close();
console.log(JSON.stringify(seen));

async function look(reader, of) {
  const context = await browser.newContext();
  const page = await context.newPage();
  // The tenant gives its visitor a cookie that scripts may read.
  await page.goto(`${url}/t/${of}/forge/200`);
  const cookies = await context.cookies(`${url}/t/${of}/x`);
  const secret = html(of, `<p id=secret>${SECRET}</p>`);
  await page.goto(url + html(reader, `<title>reader</title><iframe id=framed src="${secret}"></iframe>`));
  const framed = page.frames().find((frame) => frame !== page.mainFrame());
  await framed.waitForSelector("#secret", { state: "attached" });
  const read = await page.evaluate(readAll, { of, secret });
  await context.close();
  return { cookies: cookies.map((cookie) => `${cookie.name}=${cookie.value}`), ...read };
}

function html(tenant, markup) {
  return `/t/${tenant}/html/${encodeURIComponent(markup)}`;
}

// In the reader's page.
async function readAll({ of, secret }) {
  const attempt = async (read) => {
    try {
      return { got: await read() };
    } catch (error) {
      return { refused: error.name };
    }
  };
  const framed = document.getElementById("framed");
  const textOf = (view) => view.document.getElementById("secret").textContent;
  return {
    dom: await attempt(() => textOf(framed.contentWindow)),
    cookie: await attempt(() => framed.contentWindow.document.cookie),
    storage: await attempt(() => `${localStorage.length} entries`),
    fetched: await attempt(async () => (await fetch(`/t/${of}/quote`, { credentials: "include" })).text()),
    popup: await attempt(async () => {
      const popup = window.open(secret);
      for (let tries = 0; tries < 100 && popup.document.readyState !== "complete"; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      while (popup.document.getElementById("secret") === null) await new Promise((resolve) => setTimeout(resolve, 50));
      return textOf(popup);
    }),
  };
}

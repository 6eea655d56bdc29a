// Signs in to the dashboard of a served world in a real browser, wide, on a phone and dark, and prints as one JSON object what each
// came to: `{<name>: {console, asked, refused, cookie, url, tiles, overflowing, keyboard, requests}}`. Leaves a screenshot of each.
import packed from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const [url, token, pictures, tenants] = process.argv.slice(2);
const VIEWS = {
  desktop: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
};

const browser = await chromium.launch({
  executablePath: await packed.executablePath(),
  args: ["--no-sandbox", "--no-zygote", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
});
const seen = {};
for (const [name, view] of Object.entries(VIEWS)) seen[name] = await look(name, view);
await browser.close();
console.log(JSON.stringify(seen));

async function look(name, view) {
  const context = await browser.newContext(view);
  const page = await context.newPage();
  const said = [];
  const outside = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => { if (!request.url().startsWith(`${url}/__platform/`)) outside.push(request.url()); });
  await page.goto(`${url}/__platform/dashboard`);
  await page.waitForSelector("#enter:not([hidden])");
  // The wrong token first.
  await page.fill("#token", "wrong");
  await page.press("#token", "Enter");
  await page.waitForFunction(() => document.getElementById("state").textContent.includes("opens nothing"));
  const refused = await page.textContent("#state");
  await page.fill("#token", token);
  await page.press("#token", "Enter");
  await page.waitForSelector("#board:not([hidden]) .tile");
  await page.waitForSelector("#settle .hit");
  const [cookie] = await context.cookies(`${url}/__platform/dashboard`);
  await page.screenshot({ path: `${pictures}/dashboard-${name}.png`, fullPage: true });
  const tiles = await page.$$eval(".tile", (all) => all.map((tile) => tile.textContent));
  const overflowing = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  // By keyboard from the chart to what was asked then, and one of it.
  await page.focus("#settle .hit");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#list details");
  const requests = await page.$$eval("#list summary", (all) => all.map((each) => each.textContent));
  await page.focus("#list summary");
  await page.keyboard.press("Enter");
  const opened = await page.$eval("#list details", (first) => first.open);
  await page.screenshot({ path: `${pictures}/dashboard-${name}-requests.png` });
  await page.keyboard.press("Escape");
  const closed = await page.$eval("#requests", (each) => each.hidden);
  const other = await context.newPage();
  const trespass = [];
  for (const at of [`${url}/t/acme/quote`, `${tenants}/__platform/dashboard`, `${tenants}/__platform/quarantines`]) {
    trespass.push((await other.goto(at)).status());
  }
  await other.close();
  const stored = await page.evaluate(() => JSON.stringify([document.cookie, localStorage.length, sessionStorage.length]));
  await page.click("#leave button");
  await page.waitForSelector("#enter:not([hidden])");
  const left = (await context.cookies(`${url}/__platform/dashboard`)).length;
  const at = page.url();
  await context.close();
  return { console: said.filter((text) => !text.includes("401")), outside, refused, cookie, tiles, overflowing, requests, opened, closed, trespass, stored, left, at };
}

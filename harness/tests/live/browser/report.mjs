// Opens a report's page in a real browser, wide, narrow and dark, and prints as one JSON object what each of them came to:
// `{<name>: {loaded_ms, console, asked, overflowing, faint, broken_links, shown}}`. Leaves a screenshot of each in a folder.
// Surprising constraint: the page forbids itself every script, so what is read of it is read from outside by the browser's
// own debugger, which no policy of a page stops.
import { pathToFileURL } from "node:url";
import packed from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const [file, pictures, ...wanted] = process.argv.slice(2);
const url = pathToFileURL(file).href;

const VIEWS = {
  desktop: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  print: { viewport: { width: 794, height: 1123 }, colorScheme: "light" },
};

const browser = await chromium.launch({
  executablePath: await packed.executablePath(),
  // Without a graphics card only the software renderer takes pictures that can be relied on.
  args: ["--no-sandbox", "--no-zygote", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
});
const seen = {};
for (const name of wanted.length > 0 ? wanted : Object.keys(VIEWS)) seen[name] = await look(name, VIEWS[name]);
await browser.close();
console.log(JSON.stringify(seen));

async function look(name, view) {
  const context = await browser.newContext(view);
  const page = await context.newPage();
  if (name === "print") await page.emulateMedia({ media: "print" });
  const said = [];
  const asked = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) asked.push(request.url());
  });
  const from = Date.now();
  await page.goto(url, { waitUntil: "load", timeout: 120_000 });
  const loaded = Date.now() - from;
  const read = await page.evaluate(readAll);
  await picture(page, `${pictures}/${name}.png`, false);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await picture(page, `${pictures}/${name}-whole.png`, height < 12_000);
  const followed = await follow(page);
  const keyboard = name === "desktop" ? await byKeyboard(page) : null;
  await context.close();
  return { loaded_ms: loaded, console: said, asked, followed, keyboard, ...read };
}

// The pictures are for people, and nothing is judged by them: a renderer that was busy is asked again.
async function picture(page, path, fullPage) {
  for (let tries = 1; ; tries += 1) {
    try {
      await page.screenshot({ path, fullPage });
      return;
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

// The first link of a witness into what is folded: whether its story can be seen then.
async function follow(page) {
  const href = await page.evaluate(() => {
    const links = [...document.querySelectorAll(".witness a[href^='#'], .story a[href^='#']")];
    const folded = links.find((link) => document.getElementById(link.hash.slice(1))?.closest("details:not([open])"));
    return (folded ?? links[0])?.hash ?? null;
  });
  if (href === null) return null;
  await page.goto(url + href, { waitUntil: "load" });
  return await page.evaluate((id) => {
    const target = document.getElementById(id);
    return { id, visible: target.checkVisibility(), on_screen: target.getBoundingClientRect().top < innerHeight };
  }, href.slice(1));
}

// Whatever can be opened or followed is reached by Tab, and opened by Enter.
async function byKeyboard(page) {
  await page.goto(url, { waitUntil: "load" });
  const reached = [];
  for (let n = 0; n < 60; n += 1) {
    await page.keyboard.press("Tab");
    const on = await page.evaluate(() => document.activeElement?.tagName ?? "BODY");
    reached.push(on);
    if (on === "SUMMARY") {
      await page.keyboard.press("Enter");
      return { reached, opened: await page.evaluate(() => document.activeElement.parentElement.open) };
    }
  }
  return { reached, opened: false };
}

// In the page.
function readAll() {
  const channels = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    const painted = element.closest("svg")?.querySelector(":scope > rect.phase");
    if (painted) return channels(getComputedStyle(painted).fill).rgb;
    for (let on = element; on; on = on.parentElement) {
      const { rgb, a } = channels(getComputedStyle(on).backgroundColor);
      if (a > 0.99) return rgb;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
  const faint = [];
  let texts = 0;
  for (const element of document.querySelectorAll("body *")) {
    if (!hasText(element) || !element.checkVisibility() || element.textContent.trim() === "■") continue;
    texts += 1;
    const style = getComputedStyle(element);
    const isDrawn = element instanceof SVGElement;
    const { rgb } = channels(isDrawn ? style.fill : style.color);
    const ratio = contrast(rgb, behind(element));
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.textContent.trim().slice(0, 60)}`);
  }
  const wide = document.documentElement.clientWidth;
  const inScroller = (element) => element.closest(".wide, svg svg, svg") !== null;
  const overflowing = [...document.querySelectorAll("body *")]
    .filter((element) => !inScroller(element) && element.checkVisibility())
    .filter((element) => element.getBoundingClientRect().right > wide + 1)
    .map((element) => `${element.tagName} ${element.className} ${Math.round(element.getBoundingClientRect().right)} > ${wide}`);
  const cut = [...document.querySelectorAll(".chart > g > text, .chart > text, .chart > g > g > text")]
    .filter((element) => element.getBoundingClientRect().right > wide + 1)
    .map((element) => element.textContent);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const links = [...document.querySelectorAll("a[href^='#']")].map((link) => decodeURIComponent(link.hash.slice(1)));
  const known = new Set(ids);
  return {
    texts,
    faint,
    overflowing: [...overflowing, ...(document.documentElement.scrollWidth > wide + 1 ? ["the page"] : [])],
    cut,
    doubled_ids: ids.length - known.size,
    broken_links: links.filter((id) => !known.has(id)),
    links: links.length,
    scripts: document.querySelectorAll("script, [onerror], [onload], iframe, object, embed, form").length,
    elements: document.querySelectorAll("*").length,
    verdict: document.querySelector(".verdict")?.textContent,
    lead: document.querySelector(".lead")?.innerText,
  };
}

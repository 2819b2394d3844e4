// Every page that can be reached by links, at two widths and in both themes.

import { CONSOLE, context, shoot, signIn, slug, tooWide, violations } from "./browser.mjs";

// Leaves of the crawl: they change nothing, but they are not pages.
const NOT_PAGES = /\/download\?|\/export\?|\/logout|\/assets\//;
// One page of a kind is enough: a thousand proxies look like the first two.
const MOST_OF_A_KIND = 2;

const kind = (url) =>
  url
    .replace(/\?.*/, "")
    .replace(/\/(instances|providers|proxies|connectors|shared-flows|target-servers)\/(?!new|import)[^/]+/, "/$1/*")
    .replace(/\/revisions\/\d+/, "/revisions/*")
    .replace(/\/(policies|new-policy|endpoints\/[^/]+|files\/[^/]+)\/[^/]+/, "/$1/*")
    .replace(/\/instances\/new\/[^/]+/, "/instances/new/*");

/** Addresses of all pages, found by following links from the overview. */
export async function addresses(page) {
  const found = [CONSOLE];
  const kinds = new Map();
  for (let at = 0; at < found.length; at += 1) {
    const answer = await page.goto(found[at]);
    if (!answer.ok()) throw new Error(`${found[at]} answers ${answer.status()}: a dead link`);
    const links = await page.$$eval("a[href]", (all) => all.map((one) => one.href.replace(/#.*/, "")));
    for (const link of links) {
      if (!link.startsWith(`${CONSOLE}/`) || NOT_PAGES.test(link) || found.includes(link)) continue;
      const seen = kinds.get(kind(link)) ?? 0;
      if (seen >= MOST_OF_A_KIND) continue;
      kinds.set(kind(link), seen + 1);
      found.push(link);
    }
  }
  return found;
}

/** Visits all pages and answers what is wrong with them. */
export async function visitAll(browser, report) {
  let pages;
  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { context: at, complaints } = await context(browser, { width, scheme });
      const page = await at.newPage();
      for (const outside of [`${CONSOLE}/login`]) await check(page, outside, width, scheme, report);
      await signIn(page);
      pages ??= await addresses(page);
      const inside = [...pages, `${CONSOLE}/nowhere`, `${CONSOLE}/oauth/callback?state=wrong&code=x`];
      for (const address of inside) await check(page, address, width, scheme, report);
      if (width < 600) await phoneNavigation(page, report);
      report.check(`no complaint in the browser's console at ${width} px, ${scheme}`, complaints);
      await at.close();
    }
  }
  report.note(`${pages.length} pages`);
}

async function check(page, address, width, scheme, report) {
  await page.goto(address);
  // Folds are part of the page: what they hide is checked too.
  await page.$$eval("details", (all) => all.forEach((one) => { one.open = !one.closest(".menu"); }));
  const name = `${slug(address)} at ${width} px, ${scheme}`;
  report.check(`axe: ${name}`, await violations(page));
  report.check(`no sideways scrolling: ${name}`, (await tooWide(page)) ? ["the page is wider than the window"] : []);
  await page.$$eval("details", (all) => all.forEach((one) => { one.open = false; }));
  await shoot(page, `${slug(address)}-${width}-${scheme}`);
}

async function phoneNavigation(page, report) {
  await page.goto(CONSOLE);
  await page.getByRole("button", { name: "Open the navigation" }).click();
  const link = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Instances" });
  report.check("the navigation opens on a phone", (await link.isVisible()) ? [] : ["the link is hidden"]);
  report.check("axe: open navigation on a phone", await violations(page));
  await shoot(page, "navigation-390");
  await link.click();
  report.check("the navigation leads on", page.url().endsWith("/instances") ? [] : [page.url()]);
}

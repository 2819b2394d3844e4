// A debug session from its start to a replay: made, filled by "Try it", watched, opened, replayed, deleted.

import { readFileSync } from "node:fs";

import { CONSOLE, context, shoot, signIn, tooWide, violations } from "./browser.mjs";

/** Checks the page that stands there at two widths and in both themes, folds open. */
async function look(browser, report, address, name) {
  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { context: at, complaints } = await context(browser, { width, scheme });
      const page = await at.newPage();
      await signIn(page);
      await page.goto(address);
      await shoot(page, `${name}-closed-${width}-${scheme}`);
      await page.$$eval("main details", (all) => all.forEach((one) => { one.open = true; }));
      const where = `${name} at ${width} px, ${scheme}`;
      report.check(`axe: ${where}`, await violations(page));
      report.check(`no sideways scrolling: ${where}`, (await tooWide(page)) ? ["the page is wider than the window"] : []);
      report.check(`no complaint: ${where}`, complaints);
      await shoot(page, `${name}-${width}-${scheme}`);
      await at.close();
    }
  }
}

const says = (text, pattern) => (pattern.test(text) ? [] : [text.slice(0, 600)]);

export async function trace(browser, report) {
  const { context: at, complaints } = await context(browser);
  const page = await at.newPage();
  const mark = Date.now().toString(36);
  const [provider, proxy] = [`tr-provider-${mark}`, `tr-proxy-${mark}`];
  const main = () => page.locator("main").textContent();
  await signIn(page);
  await page.goto(`${CONSOLE}/providers/new`);
  await page.getByLabel("Name", { exact: false }).first().fill(provider);
  await page.getByRole("button", { name: "Create the provider" }).click();
  await page.goto(`${CONSOLE}/proxies/new`);
  await page.getByLabel("Name", { exact: true }).fill(proxy);
  await page.getByLabel("Provider", { exact: true }).selectOption(provider);
  await page.getByLabel("Base path", { exact: true }).fill(`/${proxy}`);
  await page.getByRole("button", { name: "Create the proxy" }).click();
  await page.getByRole("button", { name: "Deploy" }).click();

  await page.goto(`${CONSOLE}/proxies/${proxy}`);
  await page.locator("main").getByRole("link", { name: "Trace", exact: true }).click();
  await look(browser, report, page.url(), "trace-start");
  await page.getByLabel("Name", { exact: false }).first().fill("first");
  await page.getByRole("button", { name: "Start recording" }).click();
  const session = page.url().replace(/\?.*/, "");
  report.check("a session starts", says(await main(), /Recording.*No request yet/s));

  // The list fills by itself.
  const other = await at.newPage();
  await other.goto(`${CONSOLE}/proxies/${proxy}`);
  await other.getByRole("button", { name: "Send" }).click();
  await page.locator("tbody tr").first().waitFor({ timeout: 60000 });
  report.check("a request appears by itself", says(await main(), new RegExp(`GET /${proxy}`)));
  await look(browser, report, session, "trace-session");

  await page.locator("tbody a").first().click();
  await page.waitForURL(/\/first\/[0-9a-f]+$/);
  const transaction = page.url();
  report.check("the line names step and fault", says(await main(), /Request of the client.*OpenConnectors.*failed.*Answer to the client/s));
  const steps = page.locator(".trace-step > summary");
  await steps.first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const open = await steps.nth(1).evaluate((step) => step === document.activeElement && step.parentElement.open !== undefined);
  report.check("arrow keys go from step to step", open ? [] : ["the second step has no focus"]);
  await look(browser, report, transaction, "trace-transaction");

  await page.getByLabel("Through").selectOption("draft");
  await page.getByRole("button", { name: "Replay" }).click();
  await page.waitForURL(/\/replay$/);
  report.check("a replay of the same design has no differences", says(await main(), /No difference/));
  report.check("axe: replay", await violations(page));
  await shoot(page, "trace-replay-1280-light");

  await other.getByRole("button", { name: "Send" }).click();
  await page.goto(session);
  await page.locator("tbody tr").nth(1).waitFor({ timeout: 60000 });
  const compare = page.getByRole("button", { name: "Compare the two chosen" });
  report.check("two are needed to compare", (await compare.isDisabled()) ? [] : ["the button is on"]);
  for (const at of [0, 1]) await page.locator("[name=pick]").nth(at).press("Space");
  await compare.press("Enter");
  await page.waitForURL(/\/traces\/compare/);
  report.check("two requests are compared", says(await main(), /A: GET.*B: GET/s));
  await look(browser, report, page.url(), "trace-compare");
  await look(browser, report, `${CONSOLE}/traces?proxy=${proxy}`, "traces");
  await page.goto(`${CONSOLE}/traces?proxy=${proxy}&path=nowhere`);
  report.check("requests are filtered", says(await main(), /No recorded request fits/));

  await page.goto(session);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export" }).click()]);
  const file = await download.path();
  await page.goto(`${CONSOLE}/proxies/${proxy}/trace`);
  await page.getByText("Import a session that was exported").click();
  await page.locator("#f-file").setInputFiles({ name: "again.trace.json", mimeType: "application/json", buffer: readFileSync(file) });
  await page.getByRole("button", { name: "Import" }).click();
  await page.waitForURL(/\/again(\?|$)/);
  report.check("an exported session is shown again", says(await main(), new RegExp(`GET /${proxy}`)));
  await page.goto(`${page.url().replace(/\?.*/, "")}/delete`);
  await page.getByRole("button", { name: "Delete" }).click();

  await page.goto(session);
  await page.getByRole("button", { name: "Stop" }).click();
  report.check("a session stops", says(await main(), /Stopped.*kept for an hour/s));
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  report.check("a session is deleted", says(await main(), /No session yet/));
  for (const [address, name] of [[`/proxies/${proxy}/delete`, proxy], [`/providers/${provider}/delete`, provider]]) {
    await page.goto(`${CONSOLE}${address}`);
    await page.getByLabel("Type the name").fill(name);
    await page.getByRole("button", { name: "Delete" }).click();
  }
  report.check("no complaint in the browser's console while tracing", complaints);
  await at.close();
}

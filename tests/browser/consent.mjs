// Connecting a service through its vendor's consent page: by redirect, in a popup, and denied.
// Needs a vendor: PIERHEAD_CONSENT = {"key": "<connector>", "fields": {"<form field>": "<text>", …}}, whose
// consent page has the buttons Allow and Deny. Without it, this part is skipped.

import { CONSOLE, context, shoot, signIn } from "./browser.mjs";

/** Fills in the form of the connector and leaves it ready to send. */
async function ask(page, vendor, name) {
  await page.goto(`${CONSOLE}/instances/new/${vendor.key}`);
  await page.locator("#f-name").fill(name);
  for (const fold of await page.locator("main form details:not([open]) > summary").all()) await fold.click();
  for (const [field, text] of Object.entries(vendor.fields)) await page.locator(`[id="f-${field}"]`).fill(text);
}

const instances = async (page, name) => {
  await page.goto(`${CONSOLE}/instances?q=${name}`);
  return page.locator("main tbody tr").count();
};

const submit = (page) => page.getByRole("button", { name: /^Continue to/ });

export async function consent(browser, report) {
  if (!process.env.PIERHEAD_CONSENT) {
    report.note("consent: skipped, PIERHEAD_CONSENT names no vendor");
    return;
  }
  const vendor = JSON.parse(process.env.PIERHEAD_CONSENT);
  const mark = Date.now().toString(36);
  await inPopup(browser, vendor, `popup-${mark}`, report);
  await byRedirect(browser, vendor, `redirect-${mark}`, report);
  await denied(browser, vendor, `denied-${mark}`, report);
}

async function inPopup(browser, vendor, name, report) {
  const { context: at } = await context(browser);
  const page = await at.newPage();
  await signIn(page);
  await ask(page, vendor, name);
  const [popup] = await Promise.all([at.waitForEvent("page"), submit(page).click()]);
  await popup.getByRole("button", { name: "Allow" }).waitFor();
  const waiting = await page.locator("[data-waiting]").isVisible();
  report.check("the form says that it waits for the other window", waiting ? [] : ["it does not"]);
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(/\/instances\/\d+/);
  await closed;
  const heading = await page.locator("h1").textContent();
  report.check("consent in a popup connects and closes it", heading.includes(name) ? [] : [heading]);
  await shoot(page, "connected-1280-light");
  await remove(page, name, report);
  await at.close();
}

async function byRedirect(browser, vendor, name, report) {
  const { context: at } = await context(browser, { javaScriptEnabled: false });
  const page = await at.newPage();
  await signIn(page);
  await ask(page, vendor, name);
  await submit(page).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(/\/instances\/\d+/);
  const heading = await page.locator("h1").textContent();
  report.check("consent by redirect connects without JavaScript", heading.includes(name) ? [] : [heading]);
  await remove(page, name, report);
  await at.close();
}

async function denied(browser, vendor, name, report) {
  const { context: at } = await context(browser, { javaScriptEnabled: false });
  const page = await at.newPage();
  await signIn(page);
  await ask(page, vendor, name);
  await submit(page).click();
  await page.getByRole("button", { name: "Deny" }).click();
  const heading = await page.getByRole("heading", { level: 1 }).textContent();
  report.check("a denial says so", heading.includes("not given") ? [] : [heading]);
  await shoot(page, "denied-1280-light");
  const again = await page.getByRole("link", { name: "Try again" }).getAttribute("href");
  report.check("a denial leads back to the form", again.includes(vendor.key) ? [] : [again]);
  const made = await instances(page, name);
  report.check("a denial leaves no half-made instance", made === 0 ? [] : [`${made} instances`]);
  await at.close();
}

async function remove(page, name, report) {
  const address = new URL(page.url()).pathname;
  await page.goto(new URL(`${address}/delete`, page.url()).href);
  await page.locator("#f-confirm").fill(name);
  await page.getByRole("button", { name: "Delete instance" }).click();
  await page.waitForURL(/\/instances\?done=deleted|\/instances$/);
  const left = await instances(page, name);
  report.check(`${name} is deleted`, left === 0 ? [] : [`${left} left`]);
}

// The main flow by keyboard alone: provider, proxy, map entry, deploy, palette, and back again.

import { CONSOLE, context, shoot, signIn, violations } from "./browser.mjs";

/** Presses Tab until the focused element's name holds `name`. */
async function tabTo(page, name, most = 80) {
  for (let pressed = 0; pressed < most; pressed += 1) {
    const focused = await page.evaluate(() => {
      const at = document.activeElement;
      const label = at?.labels?.[0]?.textContent ?? at?.getAttribute("aria-label") ?? at?.textContent ?? "";
      const outline = at && at !== document.body ? getComputedStyle(at).outlineStyle : "none";
      return { label: label.replace(/\s+/g, " ").trim(), seen: outline !== "none", at: at?.tagName };
    });
    if (focused.label.startsWith(name) && focused.at !== "BODY") {
      if (!focused.seen) throw new Error(`${name} has the focus but no focus ring`);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reached ${name} on ${page.url()}`);
}

/** Types into the field with this label, replacing what is there. */
async function fill(page, label, text) {
  await tabTo(page, label);
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
}

/** Goes on with Enter and waits for the next page. */
async function enter(page, name) {
  await tabTo(page, name);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
}

export async function mainFlow(browser, report) {
  const { context: at, complaints } = await context(browser);
  const page = await at.newPage();
  const mark = Date.now().toString(36);
  const [provider, proxy, map] = [`kb-provider-${mark}`, `kb-proxy-${mark}`, `kb-map-${mark}`];
  await signIn(page);

  await page.goto(CONSOLE);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const focused = await page.evaluate(() => document.activeElement.id);
  report.check("the skip link leads to the content", focused === "content" ? [] : [focused]);

  await page.goto(`${CONSOLE}/providers/new`);
  await fill(page, "Name", provider);
  await enter(page, "Create the provider");
  report.check("a provider is created by keyboard", page.url().includes(`/providers/${provider}`) ? [] : [page.url()]);
  await shoot(page, "toast-1280-light");
  report.check("axe: page with a toast", await violations(page));

  await page.goto(`${CONSOLE}/proxies/new`);
  await enter(page, "Create the proxy").catch(() => {});
  const error = await page.locator("#f-name-error").textContent();
  report.check("a missing name is said beside the field", error.includes("name") ? [] : [error]);
  report.check("axe: form with errors", await violations(page));
  await page.goto(`${CONSOLE}/proxies/new`);
  await fill(page, "Name", proxy);
  await tabTo(page, "Provider");
  await page.keyboard.type(provider);
  await fill(page, "Base path", `/${proxy}`);
  await enter(page, "Create the proxy");
  report.check("a proxy is created by keyboard", page.url().includes(`/proxies/${proxy}`) ? [] : [page.url()]);
  await enter(page, "Flows and policies");
  await enter(page, "OpenConnectors");
  const body = await page.locator("main").textContent();
  report.check("the fixed policy is shown and locked", /OpenConnectors.*cannot be edited/s.test(body) ? [] : [body.slice(0, 400)]);
  await page.goto(`${CONSOLE}/proxies/${proxy}`);
  await enter(page, "Deploy");
  const deployed = await page.locator("h1").textContent();
  report.check("it is deployed by keyboard", deployed.includes("Deployed") ? [] : [deployed]);

  await page.goto(`${CONSOLE}/maps/new`);
  await fill(page, "Name", map);
  await fill(page, "Key", "colour");
  await fill(page, "Value", "blue");
  await enter(page, "Create the map");
  const masked = await page.locator("main table").textContent();
  report.check("an encrypted value is masked", masked.includes("blue") ? [masked] : []);

  await page.keyboard.press("Control+k");
  await page.keyboard.type(proxy);
  await page.locator("#palette .found a[data-chosen]", { hasText: proxy }).waitFor();
  report.check("axe: palette", await violations(page));
  await shoot(page, "palette-1280-light");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  report.check("the palette leads to the proxy", page.url().endsWith(`/proxies/${proxy}`) ? [] : [page.url()]);

  for (const [address, name] of [
    [`/proxies/${proxy}/delete`, proxy],
    [`/maps/delete?scope=ENV&scopeId=&name=${map}`, map],
    [`/providers/${provider}/delete`, provider],
  ]) {
    await page.goto(`${CONSOLE}${address}`);
    await fill(page, "Type the name", name);
    await enter(page, "Delete");
    const toast = await page.locator(".toast").textContent();
    report.check(`${name} is deleted by keyboard`, toast.includes("Deleted") ? [] : [toast]);
  }
  report.check("no complaint in the browser's console during the main flow", complaints);
  await at.close();
}

/** The same pages without JavaScript: sign in, change the colours, see a secret. */
export async function withoutScript(browser, report) {
  const { context: at } = await context(browser, { javaScriptEnabled: false });
  const page = await at.newPage();
  await signIn(page);
  await page.locator(".menu summary").click();
  await page.getByRole("button", { name: "Dark" }).click();
  const theme = await page.locator("html").getAttribute("data-theme");
  report.check("the colours change without JavaScript", theme === "dark" ? [] : [theme]);
  await page.goto(`${CONSOLE}/secrets/user`);
  await page.getByRole("button", { name: "Show the secret" }).click();
  const secret = await page.locator("#the-secret").textContent();
  report.check("a secret is shown without JavaScript", secret.trim().length >= 32 ? [] : ["it is empty"]);
  await page.goto(`${CONSOLE}/search?q=maps`);
  const found = await page.locator("main .found a").count();
  report.check("the search answers without JavaScript", found > 0 ? [] : ["nothing was found"]);
  const dead = await page.locator("button[data-copy]:visible").count();
  report.check("no dead copy button without JavaScript", dead === 0 ? [] : [`${dead} buttons`]);
  await at.close();
}

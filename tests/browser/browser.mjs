// Chromium, a signed-in context, and the checks that every page must pass.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const settings = (name, fallback) => {
  const value = process.env[name] ?? fallback;
  if (value === undefined) throw new Error(`${name} is not set; see README.md`);
  return value;
};

export const CONSOLE = settings("PIERHEAD_CONSOLE_URL").replace(/\/+$/, "");
export const EMAIL = settings("PIERHEAD_ADMIN_EMAIL");
export const PASSWORD = settings("PIERHEAD_ADMIN_PASSWORD");
const SHOTS = process.env.PIERHEAD_SHOTS;

export const launch = () =>
  chromium.launch({
    executablePath: process.env.PIERHEAD_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });

/** A context of the given width and colours. Anything a page complains of in its console is collected. */
export async function context(browser, { width = 1280, scheme = "light", javaScriptEnabled = true } = {}) {
  const made = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 800 },
    colorScheme: scheme,
    // Axe is put in by the test itself, which the pages' own policy rightly forbids to anybody else.
    bypassCSP: false,
    javaScriptEnabled,
    reducedMotion: "reduce",
  });
  const complaints = [];
  made.on("console", (message) => {
    const expected = /Failed to load resource: the server responded with a status of 4\d\d/;
    if (message.type() === "error" && !expected.test(message.text())) complaints.push(message.text());
  });
  made.on("weberror", (error) => complaints.push(String(error.error())));
  return { context: made, complaints };
}

/** Signs in with the keyboard alone. */
export async function signIn(page) {
  await page.goto(`${CONSOLE}/login`);
  await page.getByLabel("Email").focus();
  await page.keyboard.type(EMAIL);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.endsWith("/login"));
}

/** Axe's violations on the page as one line each. */
export async function violations(page) {
  // Evaluated over the debugging protocol, so the page's policy against inline scripts stays in force.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, { resultTypes: ["violations"] });
    return result.violations.map((one) => ({
      id: one.id,
      help: one.help,
      nodes: one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)),
    }));
  });
  return found.map((one) => `${one.id}: ${one.help}\n      ${one.nodes.join("\n      ")}`);
}

/** Whether the page can be scrolled sideways, which a phone's reader must never have to do. */
export const tooWide = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);

/** Saves a picture of the whole page when PIERHEAD_SHOTS names a directory. */
export async function shoot(page, name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

export const slug = (address) =>
  address
    .replace(CONSOLE, "")
    .replace(/[^a-z0-9]+/gi, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80) || "overview";

// A bundle's life in the console: report, import, diagram, editor with completion and marks, steps, roll back.

import { CONSOLE, context, shoot, signIn, tooWide, violations } from "./browser.mjs";
import { zip } from "./zip.mjs";

const POLICY = '<AssignMessage name="Greet">\n  <AssignVariable><Name>a</Name><Value>b</Value></AssignVariable>\n</AssignMessage>\n';

const bundle = (name) =>
  zip({
    [`apiproxy/${name}.xml`]: `<APIProxy name="${name}" revision="1"/>`,
    "apiproxy/proxies/default.xml":
      '<ProxyEndpoint name="default"><PreFlow name="PreFlow"><Request><Step><Name>Verify</Name></Step><Step><Name>Greet</Name>' +
      '<Condition>request.verb = "GET"</Condition></Step></Request></PreFlow><Flows><Flow name="Reads">' +
      '<Condition>(proxy.pathsuffix MatchesPath "/items/**") and (request.verb = "GET")</Condition><Request><Step><Name>Slow</Name></Step></Request>' +
      '<Response><Step><Name>Greet</Name></Step></Response></Flow></Flows><FaultRules><FaultRule name="Too fast">' +
      '<Condition>fault.name = "SpikeArrestViolation"</Condition><Step><Name>Greet</Name></Step></FaultRule></FaultRules>' +
      `<HTTPProxyConnection><BasePath>/${name}</BasePath></HTTPProxyConnection>` +
      '<RouteRule name="usual"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>',
    "apiproxy/targets/default.xml":
      '<TargetEndpoint name="default"><PreFlow name="PreFlow"><Response><Step><Name>Script</Name></Step></Response></PreFlow>' +
      "<HTTPTargetConnection><URL>https://backend.example/v1</URL></HTTPTargetConnection></TargetEndpoint>",
    "apiproxy/policies/Verify.xml": '<VerifyAPIKey name="Verify"><APIKey ref="request.header.apikey"/></VerifyAPIKey>',
    "apiproxy/policies/Greet.xml": POLICY,
    "apiproxy/policies/Slow.xml": '<SpikeArrest name="Slow"><Rate>30ps</Rate></SpikeArrest>',
    "apiproxy/policies/Script.xml": '<Javascript name="Script"><ResourceURL>jsc://a.js</ResourceURL></Javascript>',
    "apiproxy/resources/jsc/a.js": "context.setVariable('a', 'b');\n",
  });

const sharedFlow = (name) =>
  zip({
    [`sharedflowbundle/${name}.xml`]: `<SharedFlowBundle name="${name}" revision="1"/>`,
    "sharedflowbundle/sharedflows/default.xml": '<SharedFlow name="default"><Step><Name>Stop</Name></Step></SharedFlow>',
    "sharedflowbundle/policies/Stop.xml": '<RaiseFault name="Stop"/>',
  });

async function send(page, name, buffer) {
  await page.goto(`${CONSOLE}/proxies/import`);
  await page.getByLabel("Zip file").setInputFiles({ name: `${name}.zip`, mimeType: "application/zip", buffer });
  await Promise.all([page.waitForURL(/\/import\/\w+/), page.getByRole("button", { name: "Read the report" }).click()]);
}

export async function editing(browser, report) {
  const { context: at, complaints } = await context(browser);
  const page = await at.newPage();
  const name = `br-${Date.now().toString(36)}`;
  await signIn(page);

  await send(page, name, bundle(name));
  report.check("axe: report", await violations(page));
  await shoot(page, "import-report-1280-light");
  const rows = await page.getByRole("region", { name: "Steps" }).getByRole("row").count();
  report.check("the report lists every step", rows === 7 ? [] : [`${rows} rows`]);
  await page.getByRole("button", { name: "Import" }).click();
  await page.waitForURL(new RegExp(`/proxies/${name}\\?|/proxies/${name}$`));

  await page.getByRole("link", { name: "Flows and policies" }).click();
  await page.waitForURL(/\/revisions\/1$/);
  const lane = page.getByRole("region", { name: "Request", exact: true });
  report.check("the lane is reachable by keyboard", (await lane.getAttribute("tabindex")) === "0" ? [] : ["no tabindex"]);
  await lane.getByRole("link", { name: /^Greet/ }).click();
  await page.waitForURL(/\/policies\/Greet$/);

  const area = page.getByLabel("Document");
  await area.click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("<Ignore");
  const offers = page.getByRole("listbox");
  await offers.waitFor();
  const first = await offers.getByRole("option").first().textContent();
  report.check("completion offers what may stand here", first === "IgnoreUnresolvedVariables" ? [] : [first]);
  await shoot(page, "completion-1280-light");
  report.check("axe: completion", await violations(page));
  await page.keyboard.press("Enter");
  await page.keyboard.type("true");
  const typed = await area.inputValue();
  const wanted = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
  report.check("completion closes the element around the caret", typed.includes(wanted) ? [] : [typed]);
  await page.keyboard.press("Control+Home");
  for (let at = 0; at < 14; at += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.type(" contin");
  await page.keyboard.press("Enter");
  const attribute = await area.inputValue();
  report.check("completion offers attributes", attribute.startsWith('<AssignMessage continueOnError=""') ? [] : [attribute]);
  await page.keyboard.type("false");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+s");
  await page.waitForURL(/\/revisions\/2\/policies\/Greet/);
  report.check("saving a deployed revision makes the next", []);

  await area.click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("End");
  await page.keyboard.type("\n<Colour/>");
  await page.getByRole("button", { name: "Save" }).click();
  const mistake = page.getByRole("link", { name: "Line 2" });
  await mistake.waitFor().catch(async (why) => {
    await shoot(page, "mistake-missing");
    throw new Error(`${why}\n${page.url()}\n${await page.locator("main").innerText()}\n${await area.inputValue()}`);
  });
  report.check("the line of a mistake is marked", (await page.locator(".gutter .bad").allTextContents()).join() === "2" ? [] : ["it is not"]);
  await shoot(page, "mistake-1280-light");
  report.check("axe: a refused policy", await violations(page));
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  const left = await page.evaluate(() => document.activeElement.tagName);
  report.check("Esc and Tab leave the editor", left === "TEXTAREA" ? ["the focus is trapped"] : []);
  page.once("dialog", (dialog) => dialog.accept());

  await page.goto(`${CONSOLE}/proxies/${name}/revisions/2`);
  await page.getByRole("region", { name: "Request", exact: true }).getByRole("link", { name: /^Edit the steps/ }).first().click();
  await page.getByRole("button", { name: "Move Greet up" }).press("Enter");
  await page.getByRole("button", { name: "Save", exact: true }).last().press("Enter");
  await page.waitForURL(/revisions\/2\?/);
  const cards = await page.getByRole("region", { name: "Request", exact: true }).locator(".step-card strong").allTextContents();
  report.check("steps are reordered by keyboard", cards.slice(0, 2).join() === "Greet,Verify" ? [] : cards);

  await page.goto(`${CONSOLE}/proxies/${name}/revisions`);
  await page.getByRole("link", { name: /^Deploy.*revision 2/ }).click();
  await page.getByRole("button", { name: "Deploy" }).click();
  await page.waitForURL(/\/revisions/);
  await page.getByRole("link", { name: /^Roll back to it/ }).click();
  await page.getByRole("button", { name: "Deploy" }).click();
  await page.getByRole("row", { name: /Revision 1 .*Deployed/ }).waitFor();

  const flow = `${name}-flow`;
  await send(page, flow, sharedFlow(flow));
  await page.getByRole("button", { name: "Import" }).click();
  await page.waitForURL(/\/shared-flows\//);
  await page.goto(`${CONSOLE}/target-servers/new`);
  await page.getByLabel("Name").fill(`${name}-server`);
  await page.getByLabel("Host").fill("backend.example");
  await page.getByRole("button", { name: "Create the target server" }).click();
  await page.waitForURL(/\/target-servers\?|\/target-servers$/);
  report.check("no complaint while editing", complaints);
  await at.close();
  await looks(browser, name, report);
  await withoutScript(browser, name, report);
}

/** The pages of one proxy that the crawl does not reach: each at both widths and in both themes. */
async function looks(browser, name, report) {
  const at = `${CONSOLE}/proxies/${name}`;
  const pages = {
    develop: `${at}/revisions/2`,
    policy: `${at}/revisions/2/policies/Greet`,
    steps: `${at}/revisions/2/steps?kind=proxy&endpoint=default&flow=flow-0&way=request`,
    "new-policy": `${at}/revisions/2/new-policy`,
    "new-quota": `${at}/revisions/2/new-policy/Quota`,
    file: `${at}/revisions/2/files/jsc/a.js`,
    revisions: `${at}/revisions`,
    sure: `${at}/revisions/2/deploy`,
    "new-flow": `${at}/revisions/2/steps?kind=proxy&endpoint=default&flow=flow-new&way=request`,
    import: `${CONSOLE}/proxies/import`,
    "shared-flow": `${CONSOLE}/shared-flows/${name}-flow`,
    server: `${CONSOLE}/target-servers/${name}-server`,
    overview: at,
  };
  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { context: own } = await context(browser, { width, scheme });
      const page = await own.newPage();
      await signIn(page);
      for (const [kind, address] of Object.entries(pages)) {
        const answer = await page.goto(address);
        const said = `${kind} at ${width} px, ${scheme}`;
        report.check(`${said} answers`, answer.ok() ? [] : [String(answer.status())]);
        report.check(`axe: ${said}`, await violations(page));
        report.check(`no sideways scrolling: ${said}`, (await tooWide(page)) ? ["the page is wider than the window"] : []);
        await shoot(page, `proxy-${kind}-${width}-${scheme}`);
      }
      await own.close();
    }
  }
}

async function withoutScript(browser, name, report) {
  const { context: at } = await context(browser, { javaScriptEnabled: false });
  const page = await at.newPage();
  await signIn(page);
  await page.goto(`${CONSOLE}/proxies/${name}/revisions/2/policies/Greet`);
  await page.getByLabel("Document").fill(POLICY.replace("<Value>b", "<Value>c"));
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/done=saved/);
  const text = await page.getByLabel("Document").inputValue();
  report.check("a policy is saved without JavaScript", text.includes("<Value>c") ? [] : [text]);
  await at.close();
}

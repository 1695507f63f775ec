"""The console as a person with a keyboard meets it, in a real Chromium driven by its WebDriver.

console.py CONSOLE_URL CHROMEDRIVER CHROMIUM ARTIFACTS

Logs in at the wallet twin, reads a flow and a message, changes language, logs out: with Tab, Enter and
Space only. On every page it checks what a screen reader, a small phone and weak eyes need. Says each page
that it checked, and ends with 1 and every fault found when there is one. Standard library only.
"""

import base64
import html
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

TAB, ENTER, SPACE, SHIFT = "\ue004", "\ue007", "\ue00d", "\ue008"
NOTICE = "jumeau local non officiel"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

# The texts whose contrast with what is behind them is under 4.5:1 (3:1 when large): WCAG 2.2, 1.4.3.
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
  const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
const light = c => { const f = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
const dark = matchMedia('(prefers-color-scheme: dark)').matches;
const behind = e => { const layers = []; for (let n = e; n; n = n.parentElement) layers.push(rgba(getComputedStyle(n).backgroundColor));
  return layers.reduceRight((under, top) => over(top, under), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]); };
const opacity = e => { let all = 1; for (let n = e; n; n = n.parentElement) all *= Number(getComputedStyle(n).opacity); return all; };
const found = []; let seen = 0;
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const e = walk.currentNode.parentElement, text = walk.currentNode.data.trim(), style = getComputedStyle(e);
  if (!text || ['STYLE', 'SCRIPT', 'TITLE'].includes(e.tagName) || !e.getClientRects().length || style.visibility !== 'visible') continue;
  seen += 1;
  const under = behind(e), ink = rgba(style.color); ink[3] *= opacity(e);
  const [a, b] = [light(over(ink, under)), light(under)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}:1 "${text.slice(0, 40)}"`);
}
return {seen, found};
"""

# Everything that a mouse could use; each is marked so that Tab's way can be compared with it.
INTERACTIVE = """
const all = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex="0"]')]
  .filter(e => e.getClientRects().length || e.matches('.skip'));
all.forEach((e, i) => e.dataset.walk = i);
return all.map(e => e.outerHTML.slice(0, 120));
"""

# Boxes that scroll sideways without being reachable by the keyboard, and the page itself.
SIDEWAYS = """
const root = document.documentElement, wide = [];
if (root.scrollWidth > root.clientWidth) {
  wide.push(`page ${root.scrollWidth} > ${root.clientWidth}`);
  for (const e of document.querySelectorAll('body *')) if (e.getBoundingClientRect().right > root.clientWidth + 1) wide.push(e.outerHTML.slice(0, 90));
}
return wide;
"""


class Driver:
    """One browser session of the WebDriver protocol (W3C WebDriver)."""

    def __init__(self, port, chromium, profile, scheme):
        self.base = f"http://127.0.0.1:{port}"
        arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--lang=fr", f"--user-data-dir={profile}", "--window-size=1100,900",
        ]
        if scheme == "dark":
            arguments.append("--force-dark-mode")
        options = {
            "binary": chromium, "args": arguments, "prefs": {"intl.accept_languages": "fr,fr-FR"},
            "perfLoggingPrefs": {"enableNetwork": True},
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.base += "/session/" + answer["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()[:500]}") from error

    def go(self, url):
        self.call("POST", "/url", {"url": url})

    def url(self):
        return self.call("GET", "/url")

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def chrome(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def focus_on_top(self):
        self.run("document.activeElement.blur(); window.getSelection().removeAllRanges(); window.scrollTo(0, 0);")
        self.chrome("Runtime.evaluate", expression="document.documentElement.setAttribute('tabindex','-1');document.documentElement.focus();document.documentElement.removeAttribute('tabindex')")

    def focused(self):
        return self.run("const e = document.activeElement; return {tag: e.tagName, text: (e.textContent || '').trim(), href: e.getAttribute('href') || '', walk: e.dataset.walk, value: e.value || '', ring: getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 2}")

    def name_of_focused(self):
        element = self.call("GET", "/element/active")[ELEMENT]
        return self.call("GET", f"/element/{element}/computedlabel")

    def tab_to(self, what, matches):
        """Tabs until an element matches; a keyboard has no other way."""
        self.focus_on_top()
        for _ in range(120):
            self.press(TAB)
            here = self.focused()
            if matches(here):
                return here
            if here["tag"] in ("BODY", "HTML"):
                break
        raise AssertionError(f"{self.url()}: Tab never reaches {what}")

    def follow(self, what, matches, key=ENTER):
        """Tabs to an element and uses it; comes back on the page that follows."""
        self.tab_to(what, matches)
        self.run("window.notYet = true")
        self.press(key)
        wait(lambda: self.run("return !window.notYet && document.readyState === 'complete'"), f"the page after {what}")


class Visit:
    """The checks of every page, and the faults they found."""

    def __init__(self, driver, artifacts, scheme):
        self.driver, self.artifacts, self.scheme, self.faults = driver, artifacts, scheme, []

    def fault(self, page, text):
        self.faults.append(f"{self.scheme}, {page}: {text}")

    def check(self, page, lang, is_ours=True):
        driver = self.driver
        said = driver.run("return {lang: document.documentElement.lang, h1: document.querySelectorAll('h1').length, text: document.body.innerText, title: document.title, scripts: document.scripts.length, labels: document.querySelectorAll('main').length}")
        if said["lang"] != lang:
            self.fault(page, f"lang is {said['lang']!r}, not {lang!r}")
        if said["h1"] != 1 or said["labels"] != 1 or not said["title"]:
            self.fault(page, f"one h1, one main, one title: {said['h1']}, {said['labels']}, {said['title']!r}")
        if NOTICE not in said["text"]:
            self.fault(page, "the notice of the twins is missing")
        if said["scripts"]:
            self.fault(page, "there is a script")
        contrast = driver.run(CONTRAST)
        if contrast["seen"] < 3:
            self.fault(page, "no text was measured")
        for low in contrast["found"]:
            self.fault(page, f"contrast {low}")
        self.walk(page, is_ours)
        self.picture(f"{page}-bureau")
        driver.chrome("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
        for wide in driver.run(SIDEWAYS):
            self.fault(page, f"wider than 360 px: {wide}")
        self.picture(f"{page}-360")
        driver.chrome("Emulation.clearDeviceMetricsOverride")
        print(f"checked {self.scheme} {page} ({contrast['seen']} texts)", flush=True)

    def walk(self, page, is_ours):
        """Tab goes to everything, in a visible way, and everything has a name."""
        driver = self.driver
        wanted, met = driver.run(INTERACTIVE), []
        driver.focus_on_top()
        for _ in range(len(wanted) + 3):
            driver.press(TAB)
            here = driver.focused()
            if here["walk"] is None or here["walk"] in met:
                break
            met.append(here["walk"])
            if not here["ring"]:
                self.fault(page, f"no focus ring on {wanted[int(here['walk'])]}")
            if not driver.name_of_focused().strip():
                self.fault(page, f"no accessible name: {wanted[int(here['walk'])]}")
        for number, element in enumerate(wanted):
            if str(number) not in met:
                self.fault(page, f"Tab never reaches {element}")
        if is_ours and not wanted[0].startswith('<a class="skip"'):
            self.fault(page, f"the first thing is no skip link but {wanted[0]}")

    def picture(self, name):
        self.driver.focus_on_top()
        shot = self.driver.chrome("Page.captureScreenshot", captureBeyondViewport=True)
        suffix = "" if self.scheme == "light" else "-sombre"
        (self.artifacts / f"console-{name}{suffix}.png").write_bytes(base64.b64decode(shot["data"]))


def wait(is_so, what):
    for _ in range(150):
        try:
            if is_so():
                return
        except RuntimeError:
            pass  # between two pages there is no document to ask
        time.sleep(0.1)
    raise AssertionError(f"never came: {what}")


def skip_link_works(driver):
    driver.focus_on_top()
    driver.press(TAB)
    assert driver.focused()["href"] == "#content", driver.focused()
    driver.press(ENTER)
    assert driver.run("return document.activeElement.id") == "content"
    driver.press(TAB)
    assert driver.run("return document.querySelector('main').contains(document.activeElement)"), "the skip link skips nothing"


def policy_is_kept(driver, visit):
    """Every page of the console came with a policy, and the browser saw nothing against it."""
    pages = 0
    for entry in driver.call("POST", "/se/log", {"type": "performance"}):
        message = json.loads(entry["message"])["message"]
        if message["method"] != "Network.responseReceived" or message["params"]["type"] != "Document":
            continue
        response = message["params"]["response"]
        headers = {name.lower(): value for name, value in response["headers"].items()}
        if "/console" not in response["url"]:
            continue
        pages += 1
        if "default-src 'none'" not in headers.get("content-security-policy", ""):
            visit.fault(response["url"], "no Content-Security-Policy")
        if headers.get("cache-control") != "no-store":
            visit.fault(response["url"], "the page may be kept")
    assert pages >= 5, f"only {pages} pages of the console were seen"
    for entry in driver.call("POST", "/se/log", {"type": "browser"}):
        if "favicon" not in entry["message"] and "404 (Not Found)" not in entry["message"]:
            visit.fault("console of the browser", entry["message"])


def journey(driver, visit, console):
    driver.go(console)
    visit.check("accueil", "fr")
    driver.follow("the login", lambda here: here["href"] == "/console/login")
    visit.check("portefeuille", "fr", is_ours=False)
    driver.follow("Marie Martin", lambda here: here["value"] == "marie-martin", SPACE)
    assert driver.url().endswith("/console"), driver.url()
    visit.check("flux", "fr")
    skip_link_works(driver)

    is_flow = lambda here: here["href"].startswith("/console/flows/") and "/messages/" not in here["href"]
    driver.follow("a flow", is_flow)
    flow = driver.url()
    steps = driver.run("return [...document.querySelectorAll('.timeline > li')].map(li => [li.querySelector('h2, h3').innerText, li.querySelector('.state').innerText])")
    assert len(steps) >= 6, steps
    assert all(name and state for name, state in steps), steps
    assert any("DMP" in name and "fait" in state for name, state in steps), steps
    assert any("MSSanté" in name and "fait" in state for name, state in steps), steps
    visit.check("un-flux", "fr")

    driver.follow("a message", lambda here: "/messages/" in here["href"])
    shown = driver.run("return document.querySelector('pre').innerText")
    assert len(shown) > 100, shown
    visit.check("message", "fr")
    every_message_is_readable(driver, flow)
    driver.follow("back to the flow", lambda here: here["href"] == flow[flow.index("/console"):])

    read_the_document(driver, visit)
    driver.go(flow)

    driver.follow("English", lambda here: here["href"] == "/console/lang/en")
    assert driver.url() == flow, "another language is the same page"
    assert "Log out" in driver.run("return document.body.innerText")
    visit.check("un-flux-en", "en")
    driver.follow("Français", lambda here: here["href"] == "/console/lang/fr")
    driver.follow("the deliveries", lambda here: here["href"] == "/console/jobs")
    visit.check("livraisons", "fr")
    driver.go(flow + "0")
    visit.check("absent", "fr")
    strangers_are_kept_out(driver, console)
    logout(driver)
    driver.go(flow)
    assert driver.run("return !!document.querySelector('a[href=\"/console/login\"]')"), "a page is shown after the logout"


def read_the_document(driver, visit):
    """The stored document as people read it: whose it is, its sections, in the frame of the console, and on paper."""
    driver.follow("the document", lambda here: here["href"].startswith("/console/documents/"))
    shown = driver.run("return {title: document.querySelector('h1').innerText, identity: document.querySelector('.cda .identity').innerText, sections: document.querySelectorAll('.cda .body > section').length, says: document.body.innerText}")
    assert shown["title"] and "Nom de naissance" in shown["identity"] and "INS" in shown["identity"], shown
    assert shown["sections"] > 1 and "tracée" in shown["says"], shown
    visit.check("document", "fr")
    anchor = driver.run("return document.querySelector('.cda nav a').getAttribute('href')")
    driver.tab_to("the first section", lambda here: here["href"] == anchor)
    driver.press(ENTER)
    assert driver.url().endswith(anchor), driver.url()
    driver.chrome("Emulation.setEmulatedMedia", media="print")
    printed = driver.run("const seen = q => [...document.querySelectorAll(q)].filter(e => e.getClientRects().length).length; return {frame: seen('body > header') + seen('.skip') + seen('.tools') + seen('.cda nav'), identity: seen('.cda .identity'), sections: seen('.cda .body > section')}")
    assert printed["frame"] == 0 and printed["identity"] == 1 and printed["sections"] == shown["sections"], printed
    driver.chrome("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": visit.scheme}])
    address = driver.url().split("#")[0]
    driver.follow("English", lambda here: here["href"] == "/console/lang/en")
    assert driver.url() == address and "Birth name" in driver.run("return document.body.innerText")
    visit.check("document-en", "en")
    driver.follow("Français", lambda here: here["href"] == "/console/lang/fr")
    driver.go(address + "0")
    assert "aucune ressource" in driver.run("return document.body.innerText")


def every_message_is_readable(driver, flow):
    """The messages of both ends of each leg, decoded: SOAP with its lines, mail with its headers."""
    origin, session = flow[:flow.index("/console")], driver.call("GET", "/cookie/socle_session")["value"]
    links = sorted(set(re.findall(r'href="([^"]*/messages/[^"]*)"', ask(flow, session)[2].decode())))
    assert len(links) >= 6, links
    shown = [html.unescape(re.search(r"<pre[^>]*>(.*)</pre>", ask(origin + link, session)[2].decode(), re.S)[1]) for link in links]
    for text in shown:
        assert not re.fullmatch(r"\(\d+ octets\)", text), "a message is shown by its size only"
        assert not text.startswith("<") or text.count("\n") > 5, f"not indented: {text[:200]}"
    for word in ("RECSANSVITALE", "INSACTIF", "ProvideAndRegisterDocumentSet", "RegistryResponse", "X-MSS-INS: O", "250 "):
        assert any(word in text for text in shown), f"no message says {word}"


def logout(driver):
    driver.follow("the logout", lambda here: here["tag"] == "BUTTON" and here["text"] == "Se déconnecter")
    if "/console" not in driver.url():
        driver.follow("the logout of the twin", lambda here: here["tag"] == "BUTTON")
    wait(lambda: "/console" in driver.url(), "the console after the logout")


def strangers_are_kept_out(driver, console):
    """What a program or another site could send, in the browser's place and with its session's cookie."""
    origin = console.removesuffix("/console")
    for path in ("/console/jobs", "/console/flows/x", "/console/flows/x/messages/y", "/console/documents/x"):
        status, headers, _ = ask(origin + path)
        assert (status, headers["location"]) == (303, "/console"), f"{path} without a session: {status}"
    for path in ("/console/jobs/1/retry", "/console/logout"):
        status, headers, _ = ask(origin + path, form=b"guard=x")
        assert (status, headers["location"]) == (303, "/console"), f"POST {path} without a session: {status}"

    cookies = {cookie["name"]: cookie for cookie in driver.call("GET", "/cookie")}
    session = cookies["socle_session"]
    assert session["httpOnly"] and session["sameSite"] == "Lax", session
    for path in ("/console/jobs/1/retry", "/console/logout"):
        for form in (b"guard=", b"guard=x", b"guard=" + b"0" * 32):
            status, _, _ = ask(origin + path, session["value"], form)
            assert status == 403, f"POST {path} with {form!r}: {status}"
        assert ask(origin + path, session["value"], b"")[0] == 422, f"POST {path} without a guard"
    assert ask(origin + "/console/jobs", session["value"])[0] == 200, "a forged logout changed something"
    for name in ("", "x", session["value"][:-1], session["value"] + "0"):
        assert ask(origin + "/console/jobs", name)[0] == 303, f"the session {name!r} is taken for another"
    for page in ("https://evil.example/console", "//evil.example/", "http://x/console\\@evil"):
        _, headers, _ = ask(origin + "/console/lang/en", referer=page)
        assert headers["location"].startswith("/console"), headers["location"]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(url, session=None, form=None, referer=None):
    """One request, no redirect followed: status, headers, body."""
    headers = {} if session is None else {"Cookie": f"socle_session={session}"}
    if referer:
        headers["Referer"] = referer
    try:
        with urllib.request.build_opener(Stay).open(urllib.request.Request(url, form, headers), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main():
    console, chromedriver, chromium, artifacts = sys.argv[1:]
    artifacts = pathlib.Path(artifacts)
    artifacts.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = subprocess.Popen([chromedriver, f"--port={port}"], stdout=subprocess.DEVNULL)
    faults = []
    try:
        wait(lambda: answers(port), "chromedriver")
        for scheme in ("light", "dark"):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
                driver = Driver(port, chromium, profile, scheme)
                try:
                    visit = Visit(driver, artifacts, scheme)
                    driver.chrome("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                    journey(driver, visit, console)
                    policy_is_kept(driver, visit)
                    faults += visit.faults
                finally:
                    driver.call("DELETE", "")
    finally:
        server.terminate()
        server.wait()
    print("\n".join(faults))
    return 1 if faults else 0


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as response:
            return json.load(response)["value"]["ready"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())

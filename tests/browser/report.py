#!/usr/bin/env python3
"""Opens sample reports in Chromium and checks what a person would get: nothing of the hostile data runs, nothing is
fetched, the page says what it must, in both languages, on a desk, on a phone and on paper.

    report.py REPORT_SAMPLE [FOLDER]

REPORT_SAMPLE is the program that writes sample reports. With FOLDER, screenshots and a PDF are left there to look at.
Leaves with 77 where there is no Chromium.
"""
import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
VOID = {"meta", "br", "img", "link", "input", "hr", "base", "source"}
SAMPLES = [
    ("full", "en", "A copy of your personal data",
     ["136 records and 3 files, from 2 systems", "100 of 130 records shown here", "12345678901234567890", "51.10",
      "This copy is not complete: 2 systems", "Could not be read. The system could not be reached.", "short_answer",
      "E-mail addresses of other people: masked", "works_council", "⟨U+202E⟩gnp.exe", "⟨U+0000⟩", "مرحبا بالعالم",
      "<script>document.title='OWNED'</script>", "&lt;b&gt;", "Erasure (Article 17)",
      "https://authority.example.test/complaints"]),
    ("full", "fr-CH", "Copie de vos données personnelles",
     ["136 enregistrements et 3 fichiers", "Affichage de 100 sur 130 enregistrements", "1 248", "1,8 Mo",
      "Effacement (article 17)"]),
    ("nothing", "en", "A copy of your personal data",
     ["Nothing was found.", "searched 2 systems and found no personal data about you", "nobody@example.test"]),
    ("nothing", "fr", "Copie de vos données personnelles", ["Rien n’a été trouvé.", "0 enregistrement"]),
]


class Page(html.parser.HTMLParser):
    """What the browser made of the page: elements, attributes, text, and whether it all nests."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.headings, self.open, self.faults = [], [], [], [], [], []
        self.feed(text)
        self.close()
        self.words = " ".join("".join(self.text).replace("\u00a0", " ").replace("\u202f", " ").split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def check_page(page, title, words, dump):
    """Yields what is wrong with a page."""
    yield from page.faults
    for tag in ("script", "img", "iframe", "object", "embed", "link", "form", "base", "video", "audio", "svg"):
        if tag in page.tags:
            yield f"there is a <{tag}>"
    ids = [value for _, name, value in page.attributes if name == "id"]
    if len(ids) != len(set(ids)):
        yield "an id is used twice"
    for tag, name, value in page.attributes:
        if name.startswith("on") or name in ("src", "srcset", "style", "action", "background", "ping", "poster"):
            yield f"<{tag}> has {name}={value!r}"
        if name == "href" and not re.fullmatch(r"#[a-z0-9-]+|[A-Za-z0-9][A-Za-z0-9._/-]*", value):
            yield f"a link leads to {value!r}"
        if name == "href" and value.startswith("#") and value[1:] not in ids:
            yield f"a link leads to {value!r}, which is not there"
    style = dump[dump.index("<style>"):dump.index("</style>")]
    if re.search(r"url\(|@import|https?:", style):
        yield "the style sheet asks for something from elsewhere"
    if "default-src 'none'; style-src 'unsafe-inline'" not in dump:
        yield "the content security policy is missing"
    if f"<title>{title}</title>" not in dump:
        yield "the title is not the report's: a script ran, or the language is wrong"
    if page.headings[0] != 1 or page.headings.count(1) != 1:
        yield "there must be one <h1>, first"
    for before, after in zip(page.headings, page.headings[1:]):
        if after > before + 1:
            yield f"an <h{after}> stands directly below an <h{before}>"
    for word in words:
        if word not in page.words:
            yield f"it does not say {word!r}"


def chromium(profile, *arguments):
    done = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments], capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode:
        sys.exit(f"report.py: chromium failed with {done.returncode}:\n{done.stderr}")
    return done.stdout


def pictures(profile, path, folder):
    """Leaves the page as seen on a desk, on a phone and on paper."""
    name = path.with_suffix("").name
    chromium(profile, "--window-size=1100,3000", f"--screenshot={folder}/{name}-desk.png", path.as_uri())
    phone = path.with_name("phone.html")
    phone.write_text(f'<body style="margin:0"><iframe src="{path.name}" style="width:360px;height:3000px;border:0">')
    chromium(profile, "--window-size=500,3000", f"--screenshot={folder}/{name}-phone.png", phone.as_uri())
    chromium(profile, "--no-pdf-header-footer", f"--print-to-pdf={folder}/{name}.pdf", path.as_uri())


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if not CHROMIUM:
        print("report.py: skipped: there is no chromium")
        sys.exit(77)
    n_failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for kind, locale, title, words in SAMPLES:
            path = pathlib.Path(scratch, f"{kind}-{locale}.html")
            path.write_bytes(subprocess.run([sys.argv[1], kind, locale], capture_output=True, check=True).stdout)
            dump = chromium(f"{scratch}/profile", "--dump-dom", path.as_uri())
            wrong = list(check_page(Page(dump), title, words, dump))
            if len(sys.argv) == 3:
                pathlib.Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
                pictures(f"{scratch}/profile", path, pathlib.Path(sys.argv[2]).resolve())
            print(f"{'FAILED' if wrong else 'ok'}: {kind} {locale}")
            for line in wrong:
                print(f"    {line}")
            n_failed += bool(wrong)
    print(f"{len(SAMPLES) - n_failed} passed, {n_failed} failed")
    sys.exit(1 if n_failed else 0)


main()

"""A person's browser at a site on Django, as far as tests need one: cookies, forms, files."""
import http.cookiejar
import re
import secrets
import urllib.error
import urllib.request

PART = '--{}\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Visitor:
    def __init__(self, url):
        self.url, self.cookies = url, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies), _Stay)

    def open(self, path, data=None, headers=None):
        """What a page says, and the path that it sends on to, or None."""
        request = urllib.request.Request(self.url + path.removeprefix("/"), data, headers or {})
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.read().decode(), None
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code != 302:
                    raise
                return "", answer.headers["Location"]

    def get(self, path):
        return self.open(path)[0]

    def send(self, path, files=None, script=False, **form):
        """Sends a form, with files {field: (name, content)}, as a script of the page does or a person; what open() gives."""
        token = next(each.value for each in self.cookies if each.name == "csrftoken")
        boundary = secrets.token_hex(16)
        body = b"".join(
            [PART.format(boundary, name, "").encode() + str(value).encode() + b"\r\n" for name, value in form.items()]
            + [PART.format(boundary, field, f'; filename="{name}"').encode() + content + b"\r\n"
               for field, (name, content) in (files or {}).items()])
        # Django takes the cookie's value for the form's
        return self.open(path, body + f"--{boundary}--\r\n".encode(), {
            "Content-Type": "multipart/form-data; boundary=" + boundary, "X-CSRFToken": token,
            **({"X-Requested-With": "XMLHttpRequest"} if script else {})})

    def post(self, path, files=None, **form):
        """Sends a form that must be taken; the path that it leads to."""
        text, leads_to = self.send(path, files, **form)
        if leads_to is None:
            wrong = re.findall(r'(?s)class="[^"]*error[^"]*"[^>]*>(.*?)</', text)
            raise RuntimeError(f"{path}: the form was not taken: {wrong}")
        return leads_to

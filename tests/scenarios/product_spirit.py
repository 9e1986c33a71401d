#!/usr/bin/env python3
"""The profiles forum/spirit and forum/spirit-files against a real Spirit, which people fill through its own pages."""
import base64
import json
import os
import re
import unittest

import databases
import harness
import product
from product import ALICE, MALICE, NAME
from spirit import Spirit

BOB, OWNER = "bob@example.test", "owner@host.example"
PROFILE = os.path.join(harness.ROOT, "connectors", "forum", "spirit.json")
PEOPLE = {"canary-alice": ALICE, "canary-malice": MALICE}
# what each writes to the other is both's
TITLES = {"canary-alice": "canary-first-title", "canary-malice": "canary-second-title"}
LETTERS = {"canary-alice": "canary-first-letter", "canary-malice": "canary-second-letter"}
POLL = "{0}-text\n\n[poll name=which]\n# {0}-question\n1. {0}-choice\n2. neither\n[/poll]\n"
PHOTO = """
import base64, io
from PIL import Image
out = io.BytesIO()
Image.new('RGB', (16, 16), 'teal').save(out, 'JPEG')
print(base64.b64encode(out.getvalue()).decode())
"""
# what has no page, or none but for long forms
STAFF = """
from django.contrib.auth.models import Group, Permission, User
User.objects.create_superuser(username='owner', email=%r, password=%r)
for mark in %r:
    user = User.objects.get(username=mark)
    user.is_staff = user.st.is_administrator = True
    user.save()
    user.groups.add(Group.objects.create(name=mark + '-group'))
    user.user_permissions.add(Permission.objects.get(codename='add_group'))
"""
HELD = """
import json
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from spirit.comment.flag.models import CommentFlag
me = User.objects.get(email=%r)
written, invited = me.st_comments.all(), me.st_topics_private.all()
polls = [poll for comment in written for poll in comment.comment_polls.all()]
print(json.dumps({'account': 1, 'profile': 1, 'groups': me.groups.count(), 'permissions': me.user_permissions.count(),
    'topics': me.st_topics.count(), 'comments': written.count(),
    'comment_edits': sum(comment.commenthistory_set.count() for comment in written), 'private_topics': invited.count(),
    'private_replies': sum(one.topic.comment_set.exclude(user=me).count() for one in invited),
    'polls': len(polls), 'poll_choices': sum(poll.poll_choices.count() for poll in polls),
    'poll_votes': me.st_cp_votes.count(), 'likes': me.st_comment_likes.count(), 'favorites': me.st_topic_favorites.count(),
    'bookmarks': me.st_comment_bookmarks.count(), 'unread': me.st_topics_unread.count(),
    'notifications': me.st_topic_notifications.count(), 'flags': me.st_flags.count(),
    'flagged_comments': CommentFlag.objects.filter(comment__user=me).count(), 'flags_closed': me.st_comment_flags.count(),
    'admin_log': me.logentry_set.count() + LogEntry.objects.filter(
        content_type__app_label='auth', content_type__model='user', object_id=str(me.pk)).count()}))
"""
# tables that say whose a row is, by a column or by way of a comment
TABLES = """
SELECT DISTINCT c.conrelid::regclass FROM pg_constraint c
WHERE c.contype = 'f' AND c.confrelid::regclass::text IN ('auth_user', 'spirit_comment_comment')
"""


def image(mark):
    """A GIF that says whose it is."""
    said = mark.encode()
    return (b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xfe" + bytes([len(said)]) + said +
            b"\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;")


def number(path):
    return int(re.search(r"/(\d+)/", path).group(1))


class Forum(product.Product):
    says = r"Spirit \(migration of spirit_user 15\), PostgreSQL \d+\.\d+.*"
    allow = [{"from": "product", "kind": "spirit_user_id", "to": ["uploads"]}]

    @classmethod
    def start(cls):
        return Spirit()

    @classmethod
    def fill(cls):
        cls.photo = base64.b64decode(cls.product.run_python(PHOTO))
        cls.bob = cls.product.register("bob", BOB, "canary-secret-bob")
        cls.topic = number(cls.bob.post("topic/publish/", category=2, title="Which one", comment=POLL.format("bob")))
        cls.visitors = {mark: cls.product.register(mark, address, "canary-secret-" + mark)
                        for mark, address in PEOPLE.items()}
        cls.taken_back = []
        for mark, visitor in cls.visitors.items():
            cls.present(mark, visitor)
            cls.take_part(mark, visitor)
            cls.talk(mark, visitor)
        cls.product.run_python(STAFF % (OWNER, "canary-secret-owner", list(PEOPLE)))
        owner = cls.product.visitor("owner", "canary-secret-owner")
        for comment in cls.taken_back:
            owner.post(f"comment/{comment}/delete/")
        for mark, visitor in cls.visitors.items():
            cls.administer(visitor, mark, owner)

    @classmethod
    def present(cls, mark, visitor):
        """Who somebody is, and what they begin."""
        first, last = NAME.split()
        visitor.post("user/", first_name=first, last_name=last, location=mark + "-location", timezone="Europe/Zurich",
                     notify_when=1, notify_mentions="on", files={"avatar": ("photo.jpg", cls.photo)})
        said = json.loads(visitor.send("comment/upload/", script=True, files={"image": ("me.gif", image(mark + "-image"))})[0])
        topic = number(visitor.post("topic/publish/", category=2, title=mark + "-topic", comment=POLL.format(mark)))
        comment = number(visitor.post(f"comment/{topic}/publish/", comment=f"![{mark}-shown]({said['url']})"))
        visitor.post(f"comment/{comment}/update/", comment=mark + "-edit, ask carol@example.test")
        # somebody speaks to them, and complains of them
        cls.bob.post(f"comment/{topic}/publish/", comment=f"@{mark} is that so?")
        cls.bob.post(f"comment/flag/{comment}/create/", reason=1, body="canary-staff-complaint")

    @classmethod
    def take_part(cls, mark, visitor):
        """What somebody does with what another has begun."""
        page = visitor.get(f"topic/{cls.topic}/which-one/")
        poll, = re.findall(r"comment/poll/vote/(\d+)/", page)
        for choice in re.findall(r'name="choices" value="(\d+)"', page):
            visitor.post(f"comment/poll/vote/{poll}/", choices=choice)
        visitor.post(f"comment/{cls.topic}/publish/", comment=mark + "-comment")
        visitor.post(f"topic/favorite/{cls.topic}/create/")
        theirs = number(cls.bob.post(f"comment/{cls.topic}/publish/", comment=f"More for {len(mark)}"))
        visitor.post(f"comment/like/{theirs}/create/")
        visitor.post(f"comment/flag/{theirs}/create/", reason=1, body=mark + "-complaint")

    @classmethod
    def talk(cls, mark, visitor):
        """In private: with Bob, who takes back some of what he says, and each with the other."""
        topic = number(visitor.post("topic/private/publish/", title=mark + "-private", comment=mark + "-whisper", users="bob"))
        cls.bob.post(f"comment/{topic}/publish/", comment=mark + "-answer, ask carol@example.test")
        cls.taken_back.append(number(cls.bob.post(f"comment/{topic}/publish/", comment="canary-secret-taken-back")))
        other, = set(PEOPLE) - {mark}
        visitor.post("topic/private/publish/", title=TITLES[mark], comment=LETTERS[mark], users=other)

    @classmethod
    def administer(cls, visitor, mark, owner):
        """What somebody does as one of the staff, and what is done about them."""
        flag = re.findall(r"st/admin/comment/flag/(\d+)/", visitor.get("st/admin/comment/flag/"))[0]
        visitor.post(f"st/admin/comment/flag/{flag}/", is_closed="on")
        visitor.post("admin/auth/group/add/", name=mark + "-made")
        user = number(visitor.open("user/login/")[1])
        owner.post(f"admin/auth/user/{user}/password/", password1="canary-secret-new", password2="canary-secret-new",
                   usable_password="true")

    def source(self):
        return {"connector": "sql", "profile": "forum/spirit", "settings": {
            "host": "127.0.0.1", "port": self.product.database.port, "database": "forum", "user": self.product.reader,
            "password_file": self.secret("password", self.product.password)}}

    def sources(self):
        return {**super().sources(), "uploads": {"name": "uploads", "connector": "files", "profile": "forum/spirit-files",
                                                 "settings": {"media_dir": self.product.media}}}

    def held(self):
        """What Spirit says that it has of Alice, by its own objects."""
        return json.loads(self.product.run_python(HELD % ALICE))

    def test_the_person_gets_all_of_theirs_and_nothing_else(self):
        answer, held = self.ask(), self.held()
        self.assertEqual({name for name, count in held.items() if not count}, set())
        self.check_whole(answer, held, [f"canary-alice-{what}" for what in (
            "location", "topic", "text", "question", "choice", "shown", "edit", "comment", "complaint", "private", "whisper",
            "answer", "group", "image")])
        self.assertNotRegex(answer.whole_text, "(bob|carol|owner)@|md5|pbkdf2")
        self.assertEqual(harness.counted(answer.entries)["uploads"], {"avatar": 1, "images": 1})

    def test_what_others_wrote_in_private_is_given_without_who_wrote_it(self):
        answer = self.ask()
        records = harness.records(answer.entries)["product"]
        self.assertEqual([(each["sender"], each["comment"], each["removed_comment"]) for each in records["private_replies"]], [
            ("***", "canary-alice-answer, ask ***@***", None), ("***", None, "***"),
            ("***", LETTERS["canary-malice"], None)])
        self.assertEqual({each["title"] for each in records["private_topics"]}, {"canary-alice-private", *TITLES.values()})
        self.assertIn(("private_replies", 4, "third_party"), [
            (each["collection"].rpartition("/")[2], each["count"], each["reason"]) for each in answer.own["withheld"]])

    def test_the_log_says_what_was_done_and_by_whom_only_of_oneself(self):
        log = harness.records(self.ask().entries)["product"]["admin_log"]
        self.assertEqual([(each["relation"], each["object_repr"]) for each in log], [("by", "***"), ("about", None)])

    def test_no_table_of_people_is_forgotten(self):
        with open(PROFILE, encoding="utf-8") as file:
            profile = file.read()
        tables = self.product.database.query(TABLES, "forum").split()
        self.assertGreater(len(tables), 15)
        self.assertEqual([each for each in tables if each not in profile], [])

    def test_without_a_user_nothing_is_asked(self):
        engine = databases.Engine(self.folder, PROFILE, {
            "host": "127.0.0.1", "port": self.product.database.port, "database": "forum", "user": self.product.reader},
            self.product.password)
        self.addCleanup(engine.close)
        names = [each["name"] for each in engine.hello[0]["collections"]]
        for value in ("", "0", "-1", "1 OR 1=1"):
            with self.subTest(value):
                outcome = engine.fetch(*names, identities=[("spirit_user_id", value)])
                self.assertEqual(outcome.records, {})
                self.assertEqual({end["status"] for end in outcome.ends.values()}, {"failed"})

    def test_the_look_alike_has_as_much(self):
        """What Alice's bundle is without is there."""
        answer = self.ask(MALICE)
        self.assertEqual((answer.status, answer.own["coverage"]), (0, "complete"), self.gaps(answer))
        self.assertIn("canary-malice-whisper", answer.data_text)
        self.assertNotRegex(answer.whole_text, "canary-alice")


if __name__ == "__main__":
    unittest.main()

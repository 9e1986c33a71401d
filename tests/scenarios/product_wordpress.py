#!/usr/bin/env python3
"""The profile site/wordpress, and the plugin beside it, against a real WordPress."""
import json
import os
import re
import unittest

import product
from product import ALICE, MALICE, NAME
from wordpress import WordPress

# what one person has: of the site itself, and of a plugin whose exporter takes two pages
FILL = """<?php
require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/image.php';
function comment($post, $mark, $user, $address, $more = []) {
    wp_insert_comment(['comment_post_ID' => $post, 'comment_content' => "$mark-comment", 'user_id' => $user,
        'comment_author' => "%(name)s", 'comment_author_email' => $address, 'comment_author_IP' => '192.0.2.57',
        'comment_agent' => "$mark-agent", 'comment_approved' => 1] + $more);
}
function post($author, $title, $more = []) {
    return wp_insert_post(['post_author' => $author, 'post_title' => $title, 'post_content' => "$title-text",
        'post_status' => 'publish'] + $more);
}
foreach (json_decode('%(people)s', true) as $mark => $address) {
    $user = wp_insert_user(['user_login' => $mark, 'user_email' => $address, 'user_pass' => "canary-secret-$mark",
        'display_name' => "%(name)s", 'description' => "$mark-description", 'role' => 'author']);
    wp_set_current_user($user);
    update_user_meta($user, 'session_tokens', [hash('sha256', "canary-secret-$mark") => ['expiration' => time() + 9999,
        'ip' => '192.0.2.57', 'ua' => "$mark-browser", 'login' => time()]]);
    $first = post($user, "$mark-post");
    wp_update_post(['ID' => $first, 'post_content' => "$mark-edit"]);
    post($user, "$mark-draft", ['post_status' => 'draft']);
    post($user, "$mark-locked", ['post_password' => "canary-secret-$mark"]);
    wp_trash_post(post($user, "$mark-trash"));
    post($user, "$mark-page", ['post_type' => 'page']);
    for ($i = 0; $i < 120; $i++) comment(1, "$mark-$i", $user, $address);
    comment(1, "$mark-spam", $user, $address, ['comment_approved' => 'spam']);
    comment(1, "$mark-moved", $user, "$mark@old.example.test");
    comment(1, "$mark-guest", 0, $address, ['comment_approved' => 0]);
    $file = wp_upload_bits("$mark.txt", null, "$mark-file");
    wp_insert_attachment(['post_author' => $user, 'post_title' => "$mark-upload", 'post_mime_type' => 'text/plain',
        'guid' => $file['url']], $file['file']);
}
"""
SHOP = """<?php
add_filter('wp_privacy_personal_data_exporters', function ($exporters) {
    $exporters['shop/orders'] = ['exporter_friendly_name' => 'Shop', 'callback' => function ($email, $page) {
        $mark = json_decode('%(people)s', true);
        $mark = array_search($email, $mark);
        return ['data' => $mark ? [['group_id' => 'orders', 'group_label' => 'Orders', 'item_id' => "order-$page",
            'data' => [['name' => 'Article', 'value' => "$mark-order-$page"]]]] : [], 'done' => !$mark || $page == 2];
    }];
    return $exporters;
});
"""
PEOPLE = {"canary-alice": ALICE, "canary-malice": MALICE}


class Site(product.Product):
    says = r"WordPress \d+\.\d+[^ ]*"

    @classmethod
    def start(cls):
        return WordPress()

    @classmethod
    def fill(cls):
        given = {"people": json.dumps(PEOPLE), "name": NAME}
        cls.product.run_php(FILL % given)
        cls.product.write(os.path.join("wp-content", "mu-plugins", "shop.php"), SHOP % given)

    def source(self):
        return {"connector": "rest", "profile": "site/wordpress", "settings": {
            "base_url": self.product.url, "user": self.product.user,
            "password_file": self.secret("password", self.product.password)}}

    def count(self, table, where):
        return int(self.product.database.query(f"SELECT COUNT(*) FROM wp_{table} WHERE {where}", "site"))

    def held(self):
        user = int(self.product.database.query(f"SELECT ID FROM wp_users WHERE user_email = '{ALICE}'", "site"))
        revisions = "post_type = 'revision' AND post_parent IN (SELECT ID FROM wp_posts p WHERE p.post_type = '{}')"
        posts = {name: self.count("posts", f"post_author = {user} AND {kind}") for name, kind in {
            "posts": "post_type = 'post'", "revisions": revisions.format("post"), "pages": "post_type = 'page'",
            "page_revisions": revisions.format("page"), "media": "post_type = 'attachment'"}.items()}
        by_address = self.count("comments", f"comment_author_email = '{ALICE}'")
        return {"user": 1, **posts, "comments": self.count("comments", f"user_id = {user}"),
                "guest_comments": self.count("comments", f"comment_author_email = '{ALICE}' AND user_id = 0"),
                # the user, a session, comments, the file, and what the plugin has
                "exported": 2 + by_address + posts["media"] + 2}

    def test_the_person_gets_all_of_theirs_and_nothing_else(self):
        answer, held = self.ask(), self.held()
        self.assertGreater(min(held["comments"] - 100, held["revisions"], held["guest_comments"]), 0, held)
        self.check_whole(answer, held, [f"canary-alice-{what}" for what in (
            "description", "browser", "post", "edit", "draft", "locked", "trash", "page", "0-comment", "119-comment",
            "spam-comment", "moved-comment", "guest-comment", "order-1", "order-2", "upload", "file")])
        self.assertEqual([content for name, content in answer.entries.items() if name.startswith("product/files/")],
                         [b"canary-alice-file"])

    def test_the_site_answers_with_everybody_when_it_is_asked_for_nobody(self):
        for what in ("comments", "posts"):
            self.assertIn("canary-malice", json.dumps(self.product.call("GET", f"/wp/v2/{what}?author=&per_page=100")))
        self.assertIn(MALICE, [each["email"] for each in self.product.call(
            "GET", f"/wp/v2/users?context=edit&search={ALICE}")])

    def test_the_version_is_the_sites(self):
        said = self.product.run_php("<?php require ABSPATH . 'wp-load.php'; echo 'version: ', $wp_version;")
        self.check_connection(0, f"ok +WordPress {re.escape(said.rpartition(': ')[2])}$")

    def test_a_user_with_fewer_rights_is_a_failure(self):
        """An author sees what the public sees, which must not pass for everything."""
        said = self.product.run_php("""<?php require ABSPATH . 'wp-load.php';
            $user = get_user_by('login', 'canary-malice');
            [$password] = WP_Application_Passwords::create_new_application_password($user->ID, ['name' => 'low']);
            echo "password: $password\\n";""")
        self.check_refused(self.ask(settings={
            "user": "canary-malice", "password_file": self.secret("low", said.rpartition("password: ")[2].strip())}))


if __name__ == "__main__":
    unittest.main()

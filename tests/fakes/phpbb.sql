-- The tables of a phpBB 3.3 forum that hold data of people: its column names and defaults, in SQLite's words.
CREATE TABLE phpbb_users (
  user_id INTEGER PRIMARY KEY, user_type INTEGER NOT NULL DEFAULT 0, group_id INTEGER NOT NULL DEFAULT 3,
  user_permissions TEXT NOT NULL DEFAULT '', user_perm_from INTEGER NOT NULL DEFAULT 0,
  user_ip TEXT NOT NULL DEFAULT '', user_regdate INTEGER NOT NULL DEFAULT 0, username TEXT NOT NULL DEFAULT '',
  username_clean TEXT NOT NULL DEFAULT '' UNIQUE, user_password TEXT NOT NULL DEFAULT '',
  user_passchg INTEGER NOT NULL DEFAULT 0, user_email TEXT NOT NULL DEFAULT '',
  user_birthday TEXT NOT NULL DEFAULT '', user_lastvisit INTEGER NOT NULL DEFAULT 0,
  user_last_active INTEGER NOT NULL DEFAULT 0, user_lastmark INTEGER NOT NULL DEFAULT 0,
  user_lastpost_time INTEGER NOT NULL DEFAULT 0, user_lastpage TEXT NOT NULL DEFAULT '',
  user_last_confirm_key TEXT NOT NULL DEFAULT '', user_last_search INTEGER NOT NULL DEFAULT 0,
  user_warnings INTEGER NOT NULL DEFAULT 0, user_last_warning INTEGER NOT NULL DEFAULT 0,
  user_login_attempts INTEGER NOT NULL DEFAULT 0, user_inactive_reason INTEGER NOT NULL DEFAULT 0,
  user_inactive_time INTEGER NOT NULL DEFAULT 0, user_posts INTEGER NOT NULL DEFAULT 0,
  user_lang TEXT NOT NULL DEFAULT '', user_timezone TEXT NOT NULL DEFAULT '',
  user_dateformat TEXT NOT NULL DEFAULT 'd M Y H:i', user_style INTEGER NOT NULL DEFAULT 0,
  user_rank INTEGER NOT NULL DEFAULT 0, user_colour TEXT NOT NULL DEFAULT '',
  user_new_privmsg INTEGER NOT NULL DEFAULT 0, user_unread_privmsg INTEGER NOT NULL DEFAULT 0,
  user_last_privmsg INTEGER NOT NULL DEFAULT 0, user_message_rules INTEGER NOT NULL DEFAULT 0,
  user_full_folder INTEGER NOT NULL DEFAULT -3, user_emailtime INTEGER NOT NULL DEFAULT 0,
  user_topic_show_days INTEGER NOT NULL DEFAULT 0, user_topic_sortby_type TEXT NOT NULL DEFAULT 't',
  user_topic_sortby_dir TEXT NOT NULL DEFAULT 'd', user_post_show_days INTEGER NOT NULL DEFAULT 0,
  user_post_sortby_type TEXT NOT NULL DEFAULT 't', user_post_sortby_dir TEXT NOT NULL DEFAULT 'a',
  user_notify INTEGER NOT NULL DEFAULT 0, user_notify_pm INTEGER NOT NULL DEFAULT 1,
  user_notify_type INTEGER NOT NULL DEFAULT 0, user_allow_pm INTEGER NOT NULL DEFAULT 1,
  user_allow_viewonline INTEGER NOT NULL DEFAULT 1, user_allow_viewemail INTEGER NOT NULL DEFAULT 1,
  user_allow_massemail INTEGER NOT NULL DEFAULT 1, user_options INTEGER NOT NULL DEFAULT 230271,
  user_avatar TEXT NOT NULL DEFAULT '', user_avatar_type TEXT NOT NULL DEFAULT '',
  user_avatar_width INTEGER NOT NULL DEFAULT 0, user_avatar_height INTEGER NOT NULL DEFAULT 0,
  user_sig TEXT NOT NULL DEFAULT '', user_sig_bbcode_uid TEXT NOT NULL DEFAULT '',
  user_sig_bbcode_bitfield TEXT NOT NULL DEFAULT '', user_jabber TEXT NOT NULL DEFAULT '',
  user_actkey TEXT NOT NULL DEFAULT '', user_actkey_expiration INTEGER NOT NULL DEFAULT 0,
  reset_token TEXT NOT NULL DEFAULT '', reset_token_expiration INTEGER NOT NULL DEFAULT 0,
  user_newpasswd TEXT NOT NULL DEFAULT '', user_form_salt TEXT NOT NULL DEFAULT '',
  user_new INTEGER NOT NULL DEFAULT 1, user_reminded INTEGER NOT NULL DEFAULT 0,
  user_reminded_time INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_forums (
  forum_id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL DEFAULT 0, left_id INTEGER NOT NULL DEFAULT 0,
  right_id INTEGER NOT NULL DEFAULT 0, forum_parents TEXT NOT NULL DEFAULT '', forum_name TEXT NOT NULL DEFAULT '',
  forum_desc TEXT NOT NULL DEFAULT '', forum_link TEXT NOT NULL DEFAULT '', forum_password TEXT NOT NULL DEFAULT '',
  forum_type INTEGER NOT NULL DEFAULT 0, forum_status INTEGER NOT NULL DEFAULT 0,
  forum_last_post_id INTEGER NOT NULL DEFAULT 0, forum_last_poster_id INTEGER NOT NULL DEFAULT 0,
  forum_last_post_subject TEXT NOT NULL DEFAULT '', forum_last_post_time INTEGER NOT NULL DEFAULT 0,
  forum_last_poster_name TEXT NOT NULL DEFAULT '', forum_last_poster_colour TEXT NOT NULL DEFAULT '',
  forum_flags INTEGER NOT NULL DEFAULT 32, display_on_index INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE phpbb_topics (
  topic_id INTEGER PRIMARY KEY, forum_id INTEGER NOT NULL DEFAULT 0, icon_id INTEGER NOT NULL DEFAULT 0,
  topic_attachment INTEGER NOT NULL DEFAULT 0, topic_reported INTEGER NOT NULL DEFAULT 0,
  topic_title TEXT NOT NULL DEFAULT '', topic_poster INTEGER NOT NULL DEFAULT 0,
  topic_time INTEGER NOT NULL DEFAULT 0, topic_time_limit INTEGER NOT NULL DEFAULT 0,
  topic_views INTEGER NOT NULL DEFAULT 0, topic_status INTEGER NOT NULL DEFAULT 0,
  topic_type INTEGER NOT NULL DEFAULT 0, topic_first_post_id INTEGER NOT NULL DEFAULT 0,
  topic_first_poster_name TEXT NOT NULL DEFAULT '', topic_first_poster_colour TEXT NOT NULL DEFAULT '',
  topic_last_post_id INTEGER NOT NULL DEFAULT 0, topic_last_poster_id INTEGER NOT NULL DEFAULT 0,
  topic_last_poster_name TEXT NOT NULL DEFAULT '', topic_last_poster_colour TEXT NOT NULL DEFAULT '',
  topic_last_post_subject TEXT NOT NULL DEFAULT '', topic_last_post_time INTEGER NOT NULL DEFAULT 0,
  topic_last_view_time INTEGER NOT NULL DEFAULT 0, topic_moved_id INTEGER NOT NULL DEFAULT 0,
  topic_bumped INTEGER NOT NULL DEFAULT 0, topic_bumper INTEGER NOT NULL DEFAULT 0,
  poll_title TEXT NOT NULL DEFAULT '', poll_start INTEGER NOT NULL DEFAULT 0, poll_length INTEGER NOT NULL DEFAULT 0,
  poll_max_options INTEGER NOT NULL DEFAULT 1, poll_last_vote INTEGER NOT NULL DEFAULT 0,
  poll_vote_change INTEGER NOT NULL DEFAULT 0, topic_visibility INTEGER NOT NULL DEFAULT 0,
  topic_delete_time INTEGER NOT NULL DEFAULT 0, topic_delete_reason TEXT NOT NULL DEFAULT '',
  topic_delete_user INTEGER NOT NULL DEFAULT 0, topic_posts_approved INTEGER NOT NULL DEFAULT 0,
  topic_posts_unapproved INTEGER NOT NULL DEFAULT 0, topic_posts_softdeleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_posts (
  post_id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL DEFAULT 0, forum_id INTEGER NOT NULL DEFAULT 0,
  poster_id INTEGER NOT NULL DEFAULT 0, icon_id INTEGER NOT NULL DEFAULT 0, poster_ip TEXT NOT NULL DEFAULT '',
  post_time INTEGER NOT NULL DEFAULT 0, post_reported INTEGER NOT NULL DEFAULT 0,
  enable_bbcode INTEGER NOT NULL DEFAULT 1, enable_smilies INTEGER NOT NULL DEFAULT 1,
  enable_magic_url INTEGER NOT NULL DEFAULT 1, enable_sig INTEGER NOT NULL DEFAULT 1,
  post_username TEXT NOT NULL DEFAULT '', post_subject TEXT NOT NULL DEFAULT '', post_text TEXT NOT NULL DEFAULT '',
  post_checksum TEXT NOT NULL DEFAULT '', post_attachment INTEGER NOT NULL DEFAULT 0,
  bbcode_bitfield TEXT NOT NULL DEFAULT '', bbcode_uid TEXT NOT NULL DEFAULT '',
  post_postcount INTEGER NOT NULL DEFAULT 1, post_edit_time INTEGER NOT NULL DEFAULT 0,
  post_edit_reason TEXT NOT NULL DEFAULT '', post_edit_user INTEGER NOT NULL DEFAULT 0,
  post_edit_count INTEGER NOT NULL DEFAULT 0, post_edit_locked INTEGER NOT NULL DEFAULT 0,
  post_visibility INTEGER NOT NULL DEFAULT 0, post_delete_time INTEGER NOT NULL DEFAULT 0,
  post_delete_reason TEXT NOT NULL DEFAULT '', post_delete_user INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX phpbb_posts_poster_id ON phpbb_posts (poster_id);
CREATE TABLE phpbb_privmsgs (
  msg_id INTEGER PRIMARY KEY, root_level INTEGER NOT NULL DEFAULT 0, author_id INTEGER NOT NULL DEFAULT 0,
  icon_id INTEGER NOT NULL DEFAULT 0, author_ip TEXT NOT NULL DEFAULT '', message_time INTEGER NOT NULL DEFAULT 0,
  enable_bbcode INTEGER NOT NULL DEFAULT 1, enable_smilies INTEGER NOT NULL DEFAULT 1,
  enable_magic_url INTEGER NOT NULL DEFAULT 1, enable_sig INTEGER NOT NULL DEFAULT 1,
  message_subject TEXT NOT NULL DEFAULT '', message_text TEXT NOT NULL DEFAULT '',
  message_edit_reason TEXT NOT NULL DEFAULT '', message_edit_user INTEGER NOT NULL DEFAULT 0,
  message_attachment INTEGER NOT NULL DEFAULT 0, bbcode_bitfield TEXT NOT NULL DEFAULT '',
  bbcode_uid TEXT NOT NULL DEFAULT '', message_edit_time INTEGER NOT NULL DEFAULT 0,
  message_edit_count INTEGER NOT NULL DEFAULT 0, to_address TEXT NOT NULL DEFAULT '',
  bcc_address TEXT NOT NULL DEFAULT '', message_reported INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_privmsgs_to (
  msg_id INTEGER NOT NULL DEFAULT 0, user_id INTEGER NOT NULL DEFAULT 0, author_id INTEGER NOT NULL DEFAULT 0,
  pm_deleted INTEGER NOT NULL DEFAULT 0, pm_new INTEGER NOT NULL DEFAULT 1, pm_unread INTEGER NOT NULL DEFAULT 1,
  pm_replied INTEGER NOT NULL DEFAULT 0, pm_marked INTEGER NOT NULL DEFAULT 0,
  pm_forwarded INTEGER NOT NULL DEFAULT 0, folder_id INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX phpbb_privmsgs_to_usr_flder_id ON phpbb_privmsgs_to (user_id, folder_id);
CREATE TABLE phpbb_sessions (
  session_id TEXT PRIMARY KEY NOT NULL DEFAULT '', session_user_id INTEGER NOT NULL DEFAULT 0,
  session_last_visit INTEGER NOT NULL DEFAULT 0, session_start INTEGER NOT NULL DEFAULT 0,
  session_time INTEGER NOT NULL DEFAULT 0, session_ip TEXT NOT NULL DEFAULT '',
  session_browser TEXT NOT NULL DEFAULT '', session_forwarded_for TEXT NOT NULL DEFAULT '',
  session_page TEXT NOT NULL DEFAULT '', session_viewonline INTEGER NOT NULL DEFAULT 1,
  session_autologin INTEGER NOT NULL DEFAULT 0, session_admin INTEGER NOT NULL DEFAULT 0,
  session_forum_id INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_sessions_keys (
  key_id TEXT NOT NULL DEFAULT '', user_id INTEGER NOT NULL DEFAULT 0, last_ip TEXT NOT NULL DEFAULT '',
  last_login INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (key_id, user_id)
);
CREATE TABLE phpbb_log (
  log_id INTEGER PRIMARY KEY, log_type INTEGER NOT NULL DEFAULT 0, user_id INTEGER NOT NULL DEFAULT 0,
  forum_id INTEGER NOT NULL DEFAULT 0, topic_id INTEGER NOT NULL DEFAULT 0, post_id INTEGER NOT NULL DEFAULT 0,
  reportee_id INTEGER NOT NULL DEFAULT 0, log_ip TEXT NOT NULL DEFAULT '', log_time INTEGER NOT NULL DEFAULT 0,
  log_operation TEXT NOT NULL DEFAULT '', log_data TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_profile_fields_data (
  user_id INTEGER PRIMARY KEY NOT NULL DEFAULT 0, pf_phpbb_interests TEXT NOT NULL DEFAULT '',
  pf_phpbb_occupation TEXT NOT NULL DEFAULT '', pf_phpbb_location TEXT NOT NULL DEFAULT '',
  pf_phpbb_youtube TEXT NOT NULL DEFAULT '', pf_phpbb_facebook TEXT NOT NULL DEFAULT '',
  pf_phpbb_icq TEXT NOT NULL DEFAULT '', pf_phpbb_skype TEXT NOT NULL DEFAULT '',
  pf_phpbb_twitter TEXT NOT NULL DEFAULT '', pf_phpbb_website TEXT NOT NULL DEFAULT '',
  pf_phpbb_yahoo TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_attachments (
  attach_id INTEGER PRIMARY KEY, post_msg_id INTEGER NOT NULL DEFAULT 0, topic_id INTEGER NOT NULL DEFAULT 0,
  in_message INTEGER NOT NULL DEFAULT 0, poster_id INTEGER NOT NULL DEFAULT 0, is_orphan INTEGER NOT NULL DEFAULT 1,
  physical_filename TEXT NOT NULL DEFAULT '', real_filename TEXT NOT NULL DEFAULT '',
  download_count INTEGER NOT NULL DEFAULT 0, attach_comment TEXT NOT NULL DEFAULT '',
  extension TEXT NOT NULL DEFAULT '', mimetype TEXT NOT NULL DEFAULT '', filesize INTEGER NOT NULL DEFAULT 0,
  filetime INTEGER NOT NULL DEFAULT 0, thumbnail INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_drafts (
  draft_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL DEFAULT 0, topic_id INTEGER NOT NULL DEFAULT 0,
  forum_id INTEGER NOT NULL DEFAULT 0, save_time INTEGER NOT NULL DEFAULT 0, draft_subject TEXT NOT NULL DEFAULT '',
  draft_message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_bookmarks (
  topic_id INTEGER NOT NULL DEFAULT 0, user_id INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (topic_id, user_id)
);
CREATE TABLE phpbb_poll_votes (
  topic_id INTEGER NOT NULL DEFAULT 0, poll_option_id INTEGER NOT NULL DEFAULT 0,
  vote_user_id INTEGER NOT NULL DEFAULT 0, vote_user_ip TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_topics_watch (
  topic_id INTEGER NOT NULL DEFAULT 0, user_id INTEGER NOT NULL DEFAULT 0, notify_status INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_forums_watch (
  forum_id INTEGER NOT NULL DEFAULT 0, user_id INTEGER NOT NULL DEFAULT 0, notify_status INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_zebra (
  user_id INTEGER NOT NULL DEFAULT 0, zebra_id INTEGER NOT NULL DEFAULT 0, friend INTEGER NOT NULL DEFAULT 0,
  foe INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (user_id, zebra_id)
);
CREATE TABLE phpbb_login_attempts (
  attempt_ip TEXT NOT NULL DEFAULT '', attempt_browser TEXT NOT NULL DEFAULT '',
  attempt_forwarded_for TEXT NOT NULL DEFAULT '', attempt_time INTEGER NOT NULL DEFAULT 0,
  user_id INTEGER NOT NULL DEFAULT 0, username TEXT NOT NULL DEFAULT '0', username_clean TEXT NOT NULL DEFAULT '0'
);
CREATE TABLE phpbb_oauth_accounts (
  user_id INTEGER NOT NULL DEFAULT 0, provider TEXT NOT NULL DEFAULT '', oauth_provider_id TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (user_id, provider)
);
CREATE TABLE phpbb_oauth_tokens (
  user_id INTEGER NOT NULL DEFAULT 0, session_id TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '',
  oauth_token TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_reports (
  report_id INTEGER PRIMARY KEY, reason_id INTEGER NOT NULL DEFAULT 0, post_id INTEGER NOT NULL DEFAULT 0,
  user_id INTEGER NOT NULL DEFAULT 0, user_notify INTEGER NOT NULL DEFAULT 0,
  report_closed INTEGER NOT NULL DEFAULT 0, report_time INTEGER NOT NULL DEFAULT 0,
  report_text TEXT NOT NULL DEFAULT '', pm_id INTEGER NOT NULL DEFAULT 0,
  reported_post_enable_bbcode INTEGER NOT NULL DEFAULT 1, reported_post_enable_smilies INTEGER NOT NULL DEFAULT 1,
  reported_post_enable_magic_url INTEGER NOT NULL DEFAULT 1, reported_post_text TEXT NOT NULL DEFAULT '',
  reported_post_uid TEXT NOT NULL DEFAULT '', reported_post_bitfield TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_warnings (
  warning_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL DEFAULT 0, post_id INTEGER NOT NULL DEFAULT 0,
  log_id INTEGER NOT NULL DEFAULT 0, warning_time INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE phpbb_banlist (
  ban_id INTEGER PRIMARY KEY, ban_userid INTEGER NOT NULL DEFAULT 0, ban_ip TEXT NOT NULL DEFAULT '',
  ban_email TEXT NOT NULL DEFAULT '', ban_start INTEGER NOT NULL DEFAULT 0, ban_end INTEGER NOT NULL DEFAULT 0,
  ban_exclude INTEGER NOT NULL DEFAULT 0, ban_reason TEXT NOT NULL DEFAULT '',
  ban_give_reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE phpbb_config (
  config_name TEXT NOT NULL PRIMARY KEY, config_value TEXT NOT NULL DEFAULT '', is_dynamic INTEGER NOT NULL DEFAULT 0
);

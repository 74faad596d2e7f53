package telegram

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// kindOfUpdate names an update's kind: its one field beside update_id.
func kindOfUpdate(body []byte) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return "unknown"
	}
	delete(fields, "update_id")
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if k := cleanKind(field); k != "" {
			return k
		}
	}
	return "empty"
}

// uncommonKind names what a message holds beside what any may hold, and tells
// whether that is known to be nothing to show.
func uncommonKind(body []byte, field string) (kind string, service bool) {
	var update, m map[string]json.RawMessage
	if json.Unmarshal(body, &update) != nil || json.Unmarshal(update[field], &m) != nil {
		return "", false
	}
	for _, f := range slices.Sorted(maps.Keys(m)) {
		switch {
		case commonFields[f] || string(m[f]) == "null":
		case serviceFields[f]:
			return f, true
		case kind == "":
			kind = cleanKind(f)
		}
	}
	return kind, false
}

// cleanKind keeps a field's name when it reads like one of Telegram's.
func cleanKind(field string) string {
	if len(field) > 40 {
		return ""
	}
	for _, c := range []byte(field) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	return field
}

func set(words string) map[string]bool {
	s := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		s[w] = true
	}
	return s
}

// commonFields are those that a message of any kind may hold.
var commonFields = set(`
	message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot
	sender_tag receiver_user ephemeral_message_id date guest_query_id guest_bot_caller_user guest_bot_caller_chat
	business_connection_id chat forward_origin is_topic_message is_automatic_forward reply_to_message
	external_reply quote reply_to_story reply_to_checklist_task_id via_bot edit_date has_protected_content
	is_from_offline is_paid_post media_group_id author_signature paid_star_count text entities
	link_preview_options suggested_post_info effect_id caption caption_entities show_caption_above_media
	has_media_spoiler reply_markup forward_from forward_from_chat forward_from_message_id forward_signature
	forward_sender_name forward_date`)

// serviceFields are those of service messages, which tell of the chat and say nothing.
var serviceFields = set(`
	new_chat_members new_chat_member new_chat_participant left_chat_member left_chat_participant
	new_chat_title new_chat_photo delete_chat_photo group_chat_created supergroup_chat_created
	channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id
	pinned_message connected_website write_access_allowed passport_data proximity_alert_triggered
	boost_added chat_background_set checklist_tasks_done checklist_tasks_added direct_message_price_changed
	forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden
	general_forum_topic_unhidden giveaway_created giveaway_completed paid_message_price_changed
	chat_owner_left chat_owner_changed suggested_post_approved suggested_post_approval_failed
	suggested_post_declined suggested_post_paid suggested_post_refunded video_chat_scheduled video_chat_started
	video_chat_ended video_chat_participants_invited voice_chat_scheduled voice_chat_started voice_chat_ended
	voice_chat_participants_invited users_shared user_shared chat_shared gift_upgrade_sent
	community_chat_added community_chat_removed`)

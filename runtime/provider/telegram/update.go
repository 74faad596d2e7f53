package telegram

import "github.com/go-telegram/bot/models"

// update is as much of an Update as normalising needs. Leaves are the library's
// types; its unions are left out (see the package comment).
type update struct {
	ID                *int64          `json:"update_id"`
	Message           *message        `json:"message"`
	EditedMessage     *message        `json:"edited_message"`
	ChannelPost       *message        `json:"channel_post"`
	EditedChannelPost *message        `json:"edited_channel_post"`
	CallbackQuery     *callbackQuery  `json:"callback_query"`
	MyChatMember      *memberUpdate   `json:"my_chat_member"`
	MessageReaction   *reactionUpdate `json:"message_reaction"`
}

type message struct {
	ID                  int64              `json:"message_id"`
	ThreadID            int64              `json:"message_thread_id"`
	IsTopicMessage      bool               `json:"is_topic_message"`
	DirectMessagesTopic *directTopic       `json:"direct_messages_topic"`
	From                *models.User       `json:"from"`
	SenderChat          *models.Chat       `json:"sender_chat"`
	AuthorSignature     string             `json:"author_signature"`
	Date                int64              `json:"date"`
	Chat                models.Chat        `json:"chat"`
	ForwardOrigin       *origin            `json:"forward_origin"`
	ReplyTo             *repliedMessage    `json:"reply_to_message"`
	Quote               *quote             `json:"quote"`
	ViaBot              *models.User       `json:"via_bot"`
	MediaGroupID        string             `json:"media_group_id"`
	ReplyMarkup         *inlineKeyboard    `json:"reply_markup"`
	MigrateTo           int64              `json:"migrate_to_chat_id"`
	MigrateFrom         int64              `json:"migrate_from_chat_id"`
	Text                string             `json:"text"`
	Entities            []entity           `json:"entities"`
	Caption             string             `json:"caption"`
	CaptionEntities     []entity           `json:"caption_entities"`
	Animation           *models.Animation  `json:"animation"`
	Audio               *models.Audio      `json:"audio"`
	Document            *models.Document   `json:"document"`
	LivePhoto           *file              `json:"live_photo"`
	PaidMedia           *paidMedia         `json:"paid_media"`
	Photo               []models.PhotoSize `json:"photo"`
	Sticker             *models.Sticker    `json:"sticker"`
	Story               *models.Story      `json:"story"`
	Video               *models.Video      `json:"video"`
	VideoNote           *models.VideoNote  `json:"video_note"`
	Voice               *models.Voice      `json:"voice"`
	Checklist           *checklist         `json:"checklist"`
	Contact             *models.Contact    `json:"contact"`
	Dice                *models.Dice       `json:"dice"`
	Game                *game              `json:"game"`
	Poll                *poll              `json:"poll"`
	Venue               *models.Venue      `json:"venue"`
	Location            *models.Location   `json:"location"`
	Invoice             *models.Invoice    `json:"invoice"`
	WebAppData          *models.WebAppData `json:"web_app_data"`
}

type (
	entity = models.MessageEntity

	directTopic struct {
		TopicID int64 `json:"topic_id"`
	}

	// repliedMessage is as much of a message as an answer to it tells. In a topic,
	// a message that answers nothing carries the topic's first message here.
	repliedMessage struct {
		ID           int64                     `json:"message_id"`
		TopicCreated *models.ForumTopicCreated `json:"forum_topic_created"`
	}

	// origin is MessageOrigin without its union.
	origin struct {
		Type       string       `json:"type"`
		User       *models.User `json:"sender_user"`
		HiddenName string       `json:"sender_user_name"`
		SenderChat *models.Chat `json:"sender_chat"`
		Chat       *models.Chat `json:"chat"`
	}

	quote struct {
		Text string `json:"text"`
	}

	inlineKeyboard struct {
		Rows [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	}

	file struct {
		FileID   string `json:"file_id"`
		MIMEType string `json:"mime_type"`
		FileSize int64  `json:"file_size"`
	}

	paidMedia struct {
		StarCount int64 `json:"star_count"`
	}

	checklist struct {
		Title string `json:"title"`
		Tasks []struct {
			Text string `json:"text"`
		} `json:"tasks"`
	}

	game struct {
		Title string `json:"title"`
	}

	poll struct {
		Question string `json:"question"`
		Options  []struct {
			Text string `json:"text"`
		} `json:"options"`
	}

	callbackQuery struct {
		ID            string      `json:"id"`
		From          models.User `json:"from"`
		Message       *message    `json:"message"` // may be one that is no longer to be had: chat and id only
		Data          string      `json:"data"`
		GameShortName string      `json:"game_short_name"`
	}

	memberUpdate struct {
		Chat models.Chat `json:"chat"`
		From models.User `json:"from"`
		New  struct {
			Status models.ChatMemberType `json:"status"`
		} `json:"new_chat_member"`
	}

	reactionUpdate struct {
		Chat      models.Chat  `json:"chat"`
		MessageID int64        `json:"message_id"`
		User      *models.User `json:"user"`
		ActorChat *models.Chat `json:"actor_chat"`
		Date      int64        `json:"date"`
		New       []struct {
			Type          string `json:"type"`
			Emoji         string `json:"emoji"`
			CustomEmojiID string `json:"custom_emoji_id"`
		} `json:"new_reaction"`
	}
)

package telegram

import (
	"strconv"
	"strings"

	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/inbox"
)

// content fills in what the message shows. It reports false when there is
// nothing of the kinds known here.
func (m *message) content(out *inbox.InboundMessage) bool {
	out.Text = m.Caption
	switch {
	case m.Text != "":
		out.Type, out.Text = "text", m.Text
	case m.Animation != nil: // comes with a document, for clients that know none
		a := m.Animation
		out.Type = "animation"
		attach(out, "video", a.FileName, a.MimeType, a.FileSize, a.FileID)
	case m.LivePhoto != nil: // comes with a photo, likewise
		out.Type = "live_photo"
		m.attachPhoto(out)
		attach(out, "video", "", m.LivePhoto.MIMEType, m.LivePhoto.FileSize, m.LivePhoto.FileID)
	case len(m.Photo) > 0:
		out.Type = "photo"
		m.attachPhoto(out)
	case m.Video != nil:
		v := m.Video
		out.Type = "video"
		attach(out, "video", v.FileName, v.MimeType, v.FileSize, v.FileID)
	case m.Document != nil:
		d := m.Document
		out.Type = "document"
		attach(out, "file", d.FileName, d.MimeType, d.FileSize, d.FileID)
	case m.Audio != nil:
		a := m.Audio
		out.Type = "audio"
		title := a.FileName
		if title == "" {
			title = strings.Trim(a.Performer+" - "+a.Title, " -")
		}
		attach(out, "audio", title, a.MimeType, a.FileSize, a.FileID)
	case m.Voice != nil:
		out.Type = "voice"
		attach(out, "voice", "", m.Voice.MimeType, m.Voice.FileSize, m.Voice.FileID)
	case m.VideoNote != nil:
		out.Type = "video_note"
		attach(out, "video", "", "video/mp4", int64(m.VideoNote.FileSize), m.VideoNote.FileID)
	case m.Sticker != nil:
		out.Type, out.Text = "sticker", m.Sticker.Emoji
		attach(out, "sticker", "", stickerType(m.Sticker), int64(m.Sticker.FileSize), m.Sticker.FileID)
	case m.PaidMedia != nil:
		out.Type = "paid_media"
		put(out, "star_count", m.PaidMedia.StarCount)
	default:
		return m.structured(out)
	}
	return true
}

// structured is content without a file.
func (m *message) structured(out *inbox.InboundMessage) bool {
	switch {
	case m.Venue != nil: // comes with a location, for clients that know none
		v := m.Venue
		out.Type, out.Text = "venue", joinNonEmpty(", ", v.Title, v.Address)
		attachLocation(out, v.Title, &v.Location)
	case m.Location != nil:
		out.Type = "location"
		attachLocation(out, "", m.Location)
	case m.Contact != nil:
		c := m.Contact
		out.Type = "contact"
		out.Text = joinNonEmpty(", ", personName(c.FirstName, c.LastName), c.PhoneNumber)
		put(out, "contact", map[string]any{
			"first_name": c.FirstName, "last_name": c.LastName, "phone_number": c.PhoneNumber, "vcard": c.VCard,
		})
	case m.Poll != nil:
		out.Type, out.Text = "poll", m.Poll.Question
		var options []string
		for _, o := range m.Poll.Options[:min(len(m.Poll.Options), maxListed)] {
			options = append(options, o.Text)
		}
		put(out, "options", options)
	case m.Checklist != nil:
		out.Type, out.Text = "checklist", m.Checklist.Title
		var tasks []string
		for _, t := range m.Checklist.Tasks[:min(len(m.Checklist.Tasks), maxListed)] {
			tasks = append(tasks, t.Text)
		}
		put(out, "tasks", tasks)
	case m.Dice != nil:
		out.Type, out.Text = "dice", m.Dice.Emoji
		put(out, "value", m.Dice.Value)
	case m.Story != nil:
		out.Type = "story"
	case m.Game != nil:
		out.Type, out.Text = "game", m.Game.Title
	case m.Invoice != nil:
		out.Type, out.Text = "invoice", m.Invoice.Title
	case m.WebAppData != nil:
		out.Type, out.Text = "web_app_data", m.WebAppData.ButtonText
		put(out, "data", m.WebAppData.Data)
	default:
		return false
	}
	return true
}

// maxListed bounds what Data lists; Telegram's own limits are lower.
const maxListed = 100

// context adds what else a reader should know: formatting, whose words they are.
func (m *message) context(out *inbox.InboundMessage) {
	entities := m.Entities
	if m.Text == "" {
		entities = m.CaptionEntities
	}
	if n := len(entities); n > 0 && n <= maxListed {
		put(out, "entities", entities) // offsets and lengths count UTF-16 units
	}
	if m.ForwardOrigin != nil {
		put(out, "forwarded_from", m.ForwardOrigin.name())
	}
	if m.Quote != nil && m.Quote.Text != "" {
		put(out, "quote", m.Quote.Text)
	}
	if m.ViaBot != nil && m.ViaBot.Username != "" {
		put(out, "via_bot", "@"+m.ViaBot.Username)
	}
	if m.AuthorSignature != "" {
		put(out, "author_signature", m.AuthorSignature)
	}
}

func (o *origin) name() string {
	switch {
	case o.User != nil:
		return personName(o.User.FirstName, o.User.LastName)
	case o.SenderChat != nil:
		return chatName(o.SenderChat)
	case o.Chat != nil:
		return chatName(o.Chat)
	}
	return o.HiddenName
}

func put(out *inbox.InboundMessage, key string, value any) {
	if out.Data == nil {
		out.Data = make(map[string]any, 2)
	}
	out.Data[key] = value
}

// attachPhoto attaches the largest of a photo's sizes. Telegram makes all of them JPEGs.
func (m *message) attachPhoto(out *inbox.InboundMessage) {
	var best *models.PhotoSize
	for i := range m.Photo {
		if p := &m.Photo[i]; best == nil || int64(p.Width)*int64(p.Height) > int64(best.Width)*int64(best.Height) {
			best = p
		}
	}
	if best != nil {
		attach(out, "image", "", "image/jpeg", int64(best.FileSize), best.FileID)
	}
}

func attach(out *inbox.InboundMessage, kind, fileName, mimeType string, size int64, ref string) {
	if ref == "" {
		return
	}
	out.Attachments = append(out.Attachments, inbox.InboundAttachment{
		Kind: kind, Name: fileName, MIMEType: cleanMIMEType(mimeType), Size: max(size, 0), Ref: ref,
	})
}

func attachLocation(out *inbox.InboundMessage, title string, l *models.Location) {
	lat := strconv.FormatFloat(l.Latitude, 'f', -1, 64)
	long := strconv.FormatFloat(l.Longitude, 'f', -1, 64)
	out.Attachments = append(out.Attachments, inbox.InboundAttachment{
		Kind: "location", Name: title, URL: "geo:" + lat + "," + long, // RFC 5870
	})
	put(out, "latitude", l.Latitude)
	put(out, "longitude", l.Longitude)
}

func stickerType(s *models.Sticker) string {
	switch {
	case s.IsVideo:
		return "video/webm"
	case s.IsAnimated:
		return "application/x-tgsticker"
	}
	return "image/webp"
}

func joinNonEmpty(sep, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + sep + b
}

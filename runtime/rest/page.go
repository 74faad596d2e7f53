package rest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

var (
	//go:embed page.html
	pageTemplate string
	//go:embed page.css
	pageStyle string
)

// pageCSP allows the page its own style and nothing else: no script, no font, no other host.
func pageCSP() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// pageView is what the page shows, read from the OpenAPI document.
type pageView struct {
	Title, Alias, Version, Base string
	Style                       template.CSS
	About                       template.HTML
	Tags                        []pageTag
	Shapes                      []pageShape
}

type pageTag struct {
	Name, Text string
	Calls      []pageCall
}

type pageCall struct {
	ID, Method, Path, Summary, Scope string
	Text, Body                       template.HTML
	BodyText, Curl                   string
	Parameters                       []pageField
	Answers                          []pageAnswer
}

type pageField struct {
	Name, In, Text string
	Type           template.HTML
	Required       bool
}

type pageAnswer struct {
	Status, Text string
	Type         template.HTML
}

type pageShape struct {
	Name   string
	Fields []pageField
}

func (a *API) makePage() []byte {
	doc := a.huma.OpenAPI()
	view := pageView{
		Title: doc.Info.Title, Alias: a.o.Alias, Version: doc.Info.Version, Base: a.o.Path,
		Style: template.CSS(pageStyle), //nolint:gosec // our own file
		About: prose(doc.Info.Description),
	}
	for _, tag := range doc.Tags {
		view.Tags = append(view.Tags, pageTag{Name: tag.Name, Text: tag.Description, Calls: a.pageCalls(doc, tag.Name, view.Base)})
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		shape := pageShape{Name: name}
		for _, field := range slices.Sorted(maps.Keys(schemas[name].Properties)) {
			s := schemas[name].Properties[field]
			shape.Fields = append(shape.Fields, pageField{Name: field, Type: typeOf(s), Text: s.Description, Required: slices.Contains(schemas[name].Required, field)})
		}
		view.Shapes = append(view.Shapes, shape)
	}
	var out bytes.Buffer
	if err := template.Must(template.New("page").Parse(pageTemplate)).Execute(&out, view); err != nil {
		panic(err) // made of this program's own types, and a test reads it
	}
	return out.Bytes()
}

func (a *API) pageCalls(doc *huma.OpenAPI, tag, base string) []pageCall {
	var calls []pageCall
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		item := doc.Paths[path]
		for _, op := range operations(item) {
			if !slices.Contains(op.Tags, tag) {
				continue
			}
			c := pageCall{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Text: prose(op.Description), Curl: a.curlOf(op, base)}
			for _, need := range op.Security {
				for _, scopes := range need {
					c.Scope = strings.Join(scopes, " ")
				}
			}
			for _, p := range op.Parameters {
				text := p.Description
				if p.Schema != nil && p.Schema.Default != nil {
					text = strings.TrimSpace(text + fmt.Sprintf(" Default %v.", p.Schema.Default))
				}
				c.Parameters = append(c.Parameters, pageField{Name: p.Name, In: p.In, Type: typeOf(p.Schema), Text: text, Required: p.Required})
			}
			if op.RequestBody != nil {
				c.Body, c.BodyText = contentOf(op.RequestBody.Content), op.RequestBody.Description
			}
			for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
				r := op.Responses[status]
				if name, isRef := strings.CutPrefix(r.Ref, responsePrefix); isRef {
					r = doc.Components.Responses[name]
				}
				c.Answers = append(c.Answers, pageAnswer{Status: status, Text: r.Description, Type: contentOf(r.Content)})
			}
			calls = append(calls, c)
		}
	}
	return calls
}

// contentOf names the shape of a body.
func contentOf(content map[string]*huma.MediaType) template.HTML {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		text := string(typeOf(content[kind].Schema))
		if kind != "application/json" {
			text = "<code>" + template.HTMLEscapeString(kind) + "</code>"
			if event, is := content[kind].Schema.Extensions[eventData].(*huma.Schema); is {
				text += " of " + string(typeOf(event))
			}
		}
		kinds = append(kinds, text)
	}
	return template.HTML(strings.Join(kinds, " ")) //nolint:gosec // escaped above and in typeOf
}

// typeOf names a schema's type, with links to shapes.
func typeOf(s *huma.Schema) template.HTML {
	if s == nil {
		return ""
	}
	var text string
	switch name, isRef := strings.CutPrefix(s.Ref, "#/components/schemas/"); {
	case isRef:
		name = template.HTMLEscapeString(name)
		text = `<a href="#shape-` + name + `">` + name + `</a>`
	case len(s.AnyOf) > 0:
		kinds := make([]string, len(s.AnyOf))
		for i, kind := range s.AnyOf {
			kinds[i] = string(typeOf(kind))
		}
		text = strings.Join(kinds, " or ")
	case len(s.Enum) > 0:
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = "<code>" + template.HTMLEscapeString(fmt.Sprint(v)) + "</code>"
		}
		text = strings.Join(values, " ")
	case s.Type == huma.TypeArray:
		text = "list of " + string(typeOf(s.Items))
	case s.Type == huma.TypeObject:
		text = "object"
		if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
			text = "object of " + string(typeOf(values))
		}
	case s.Type == "":
		text = "any JSON"
	default:
		text = template.HTMLEscapeString(s.Type)
		if s.Format != "" && s.Format != "int64" {
			text += " (" + template.HTMLEscapeString(s.Format) + ")"
		}
	}
	if s.Nullable {
		text += " or null"
	}
	return template.HTML(text) //nolint:gosec // escaped above
}

// prose makes paragraphs of a description, with `code` in it.
func prose(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph == "" {
			continue
		}
		out.WriteString("<p>")
		for i, part := range strings.Split(template.HTMLEscapeString(paragraph), "`") {
			if i%2 == 1 {
				part = "<code>" + part + "</code>"
			}
			out.WriteString(part)
		}
		out.WriteString("</p>\n")
	}
	return template.HTML(out.String()) //nolint:gosec // escaped above
}

// curlOf is a call as one would type it.
func (a *API) curlOf(op *huma.Operation, base string) string {
	path := op.Path
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", exampleOf(p.Schema, strings.ToUpper(p.Name)))
		}
	}
	text := "curl "
	if op.Method != http.MethodGet {
		text += "-X " + op.Method + " "
	}
	if op.OperationID == "stream-events" {
		text += "-N "
	}
	text += "https://HOST" + base + path + " \\\n  -H '" + a.o.Curl + "'"
	if op.RequestBody == nil {
		return text
	}
	body := op.RequestBody.Content["application/json"]
	example := body.Example
	if example == nil {
		example = json.RawMessage(`{"text": "Thanks, we are checking this now."}`)
		if op.Method == http.MethodPatch {
			example = json.RawMessage(`{"status": "resolved", "labels": ["billing"]}`)
		}
	}
	data, err := json.MarshalIndent(example, "  ", "  ")
	if err != nil {
		panic(err) // examples are this program's own
	}
	return text + " \\\n  -H 'Content-Type: application/json' \\\n  -d '" + string(data) + "'"
}

func exampleOf(s *huma.Schema, fallback string) string {
	switch {
	case s != nil && len(s.Examples) > 0:
		return fmt.Sprint(s.Examples[0])
	case s != nil && len(s.Enum) > 0:
		return fmt.Sprint(s.Enum[0])
	}
	return fallback
}

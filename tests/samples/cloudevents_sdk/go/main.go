// Writes what the public Go SDK makes of one event: the requests as JSON.
// go mod init recorded && go get github.com/cloudevents/sdk-go/v2 && go run . EVENT.json > go.json
package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type said struct {
	Mode    string            `json:"mode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func written(mode string, request *http.Request) said {
	headers := map[string]string{}
	for name, values := range request.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	body, err := io.ReadAll(request.Body)
	must(err)
	return said{mode, headers, string(body)}
}

func one(mode string, ctx context.Context, event cloudevents.Event) said {
	request, err := http.NewRequest("POST", "http://127.0.0.1/v1/events", nil)
	must(err)
	must(cehttp.WriteRequest(ctx, binding.ToMessage(&event), request))
	return written(mode, request)
}

func main() {
	var given struct {
		Id, Source, Type, Subject, Time string
		Revision                        int32
		Data                            json.RawMessage
	}
	content, err := os.ReadFile(os.Args[1])
	must(err)
	must(json.Unmarshal(content, &given))
	when, err := time.Parse(time.RFC3339, given.Time)
	must(err)
	event := cloudevents.NewEvent()
	event.SetID(given.Id)
	event.SetSource(given.Source)
	event.SetType(given.Type)
	event.SetSubject(given.Subject)
	event.SetTime(when)
	event.SetExtension("revision", given.Revision)
	must(event.SetData("application/json", given.Data))
	second := event.Clone()
	second.SetID(given.Id + "-2")
	batch, err := cehttp.NewHTTPRequestFromEvents(context.Background(), "http://127.0.0.1/v1/events", []cloudevents.Event{event, second})
	must(err)
	version := ""
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "github.com/cloudevents/sdk-go/v2" {
				version = module.Version
			}
		}
	}
	shown := json.NewEncoder(os.Stdout)
	shown.SetIndent("", "  ")
	must(shown.Encode(map[string]any{
		"sdk": "github.com/cloudevents/sdk-go/v2 " + version,
		"requests": []said{
			one("structured", binding.WithForceStructured(context.Background()), event),
			one("binary", binding.WithForceBinary(context.Background()), event),
			written("batch", batch),
		},
	}))
}

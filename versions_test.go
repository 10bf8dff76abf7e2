package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// versionedAnswer is what is looked at of an answer.
type versionedAnswer struct {
	status int
	header http.Header
	Data   map[string]any
	Errors []answerError
	Ext    map[string]json.RawMessage `json:"extensions"`
}

// code is that of the only error.
func (a *versionedAnswer) code() string {
	if len(a.Errors) != 1 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// askAt posts a query to a path, with header fields in pairs.
func (p *program) askAt(t *testing.T, path, query string, header ...string) *versionedAnswer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path, strings.NewReader(asBody(query, "")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	a := &versionedAnswer{status: response.StatusCode, header: response.Header}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, a); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return a
}

const (
	oldName = `{ user(id: "user_u1") { followedByViewer } }`
	newName = `{ user(id: "user_u1") { viewerIsFollowing } }`
)

func TestVersionsAreChosen(t *testing.T) {
	p, _ := serveSmallDemo(t)
	const v2 = "application/graphql-response+json;version=2"
	for _, tt := range []struct {
		name, path string
		header     []string
		version    string // that it is answered in; empty: in none
		status     int
		code       string
	}{
		{"nothing said", "/graphql", nil, "1", 200, ""},
		{"a path", "/v1/graphql", nil, "1", 200, ""},
		{"another path", "/v2/graphql", nil, "2", 200, ""},
		{"a header", "/graphql", []string{"Api-Version", "2"}, "2", 200, ""},
		{"Accept", "/graphql", []string{"Accept", v2}, "2", 200, ""},
		{"a weight behind it", "/graphql", []string{"Accept", "text/html;q=0.1, " + v2 + ";q=0.9"}, "2", 200, ""},
		{"the query string", "/graphql?version=2", nil, "2", 200, ""},
		{"all agree", "/v2/graphql?version=v2", []string{"Api-Version", "2", "Accept", v2}, "2", 200, ""},
		{"path and header", "/v1/graphql", []string{"Api-Version", "2"}, "", 400, "VERSION_CONFLICT"},
		{"path and Accept", "/v1/graphql", []string{"Accept", v2}, "", 400, "VERSION_CONFLICT"},
		{"header and query string", "/graphql?version=1", []string{"Api-Version", "2"}, "", 400, "VERSION_CONFLICT"},
		{"an unknown path", "/v9/graphql", nil, "", 404, "VERSION_UNKNOWN"},
		{"no number", "/vSECRET/graphql", nil, "", 404, "VERSION_UNKNOWN"},
		{"an unknown header", "/graphql", []string{"Api-Version", "SECRET"}, "", 400, "VERSION_UNKNOWN"},
		{"two in the query string", "/graphql?version=1&version=2", nil, "", 400, "VERSION_CONFLICT"},
		{"one twice", "/graphql?version=2&version=2", nil, "2", 200, ""},
		{"two in Accept", "/graphql", []string{"Accept", "application/json;version=1," + v2}, "", 400, "VERSION_CONFLICT"},
		{"capitals", "/graphql", []string{"Accept", "application/graphql-response+json;VERSION=2"}, "2", 200, ""},
		{"of a type that is none of ours", "/graphql", []string{"Accept", "text/plain;version=0.0.4;q=0.1, application/graphql-response+json"}, "1", 200, ""},
		{"of a type that is not taken", "/graphql", []string{"Accept", "application/json;version=2;q=0, application/graphql-response+json"}, "1", 200, ""},
		{"a v alone", "/graphql", []string{"Api-Version", "v"}, "", 400, "VERSION_UNKNOWN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := p.askAt(t, tt.path, "{ __typename }", tt.header...)
			if a.status != tt.status || a.code() != tt.code || a.header.Get("Api-Version") != tt.version || !slices.Contains(strings.Split(a.header.Get("Vary"), ", "), "Api-Version") {
				t.Fatalf("got %d %v %v", a.status, a.Errors, a.header)
			}
			if tt.code != "" {
				if message := a.Errors[0].Message; strings.Contains(message, "SECRET") || tt.code == "VERSION_UNKNOWN" && !strings.Contains(message, "1, 2") {
					t.Errorf("the message is %q", message)
				}
				return
			}
			for query, version := range map[string]string{oldName: "1", newName: "2"} {
				a := p.askAt(t, tt.path, query, tt.header...)
				if (a.status == http.StatusOK) != (version == tt.version) || version != tt.version && a.code() != "GRAPHQL_VALIDATION_FAILED" {
					t.Errorf("%s: %d %v", query, a.status, a.Errors)
				}
			}
		})
	}
}

func TestVersionsShowThemselves(t *testing.T) {
	p, _ := serveSmallDemo(t)
	const query = `{ user: __type(name: "User") { fields(includeDeprecated: true) { name isDeprecated deprecationReason } } old: __type(name: "FieldChange") { name } new: __type(name: "ValueChange") { name } }`
	for version, want := range map[string]struct{ has, lacks, there, gone string }{
		"1": {"followedByViewer", "viewerIsFollowing", "old", "new"},
		"2": {"viewerIsFollowing", "followedByViewer", "new", "old"},
	} {
		a := p.askAt(t, "/v"+version+"/graphql", query)
		fields := map[string]bool{}
		for _, field := range at(t, a.Data, "user", "fields").([]any) {
			fields[at(t, field, "name").(string)] = at(t, field, "isDeprecated").(bool)
		}
		deprecated, has := fields[want.has]
		_, lacks := fields[want.lacks]
		if !has || lacks || deprecated != (version == "1") || a.Data[want.there] == nil || a.Data[want.gone] != nil {
			t.Errorf("version %s shows %v", version, a.Data)
		}
		sdl, err := command(t, "", "schema", "--version", version)
		if err != nil || !strings.Contains(sdl, want.has+": Boolean") || strings.Contains(sdl, want.lacks+": Boolean") || strings.Contains(sdl, "@since") {
			t.Errorf("schema --version %s: %v", version, err)
		}
	}
	if _, err := command(t, "", "schema", "--version", "9"); err == nil || !strings.Contains(err.Error(), "--version") {
		t.Errorf("schema --version 9: %v", err)
	}
}

func TestWhatIsDeprecatedSaysSo(t *testing.T) {
	p, _ := serveSmallDemo(t)
	a := p.askAt(t, "/graphql", oldName)
	for name, want := range map[string]string{"Deprecation": "@1795392000", "Sunset": "Tue, 23 Nov 2027 00:00:00 GMT"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if links := a.header.Values("Link"); len(links) != 2 || !strings.Contains(links[0], `rel="deprecation"`) || !strings.Contains(links[1], `rel="sunset"`) {
		t.Errorf("Link: %q", links)
	}
	if got, want := string(a.Ext["deprecations"]), `[{"coordinate":"User.followedByViewer","reason":"Use viewerIsFollowing of version 2, which is the same.","sunset":"2027-11-23"}]`; got != want {
		t.Errorf("extensions.deprecations: %s", got)
	}
	for path, query := range map[string]string{"/graphql": `{ user(id: "user_u1") { handle } }`, "/v2/graphql": newName} {
		if a := p.askAt(t, path, query); a.header.Get("Deprecation")+a.header.Get("Sunset")+a.header.Get("Link") != "" || a.Ext["deprecations"] != nil {
			t.Errorf("%s is not deprecated: %v %s", query, a.header, a.Ext)
		}
	}
	c := p.subscribe(t, "", `subscription { entityChanged(ids: ["user_u1"]) { entity { ... on User { followedByViewer } } } }`)
	if c.header.Get("Deprecation") == "" || c.header.Get("Api-Version") != "1" {
		t.Errorf("a stream begins with %v", c.header)
	}
}

// TestTheWayOfAVersion goes from the announcement of its end to the end.
func TestTheWayOfAVersion(t *testing.T) {
	t.Run("announced", func(t *testing.T) {
		p, _ := serveSmallDemo(t, "--version-sunset", "1=2126-01-01")
		a := p.askAt(t, "/graphql", "{ __typename }")
		if a.status != http.StatusOK || a.header.Get("Sunset") != "Tue, 01 Jan 2126 00:00:00 GMT" || a.header.Get("Deprecation") == "" || a.Ext["deprecations"] != nil {
			t.Errorf("got %d %v", a.status, a.header)
		}
		if a := p.askAt(t, "/graphql", "{ nonsense }"); a.header.Get("Sunset") != "Tue, 01 Jan 2126 00:00:00 GMT" || len(a.header.Values("Link")) != 2 {
			t.Errorf("what is refused says so too: %v", a.header)
		}
		if a := p.askAt(t, "/graphql", oldName); a.header.Get("Sunset") != "Tue, 23 Nov 2027 00:00:00 GMT" {
			t.Errorf("an element ends before its version: %v", a.header)
		}
		if a := p.askAt(t, "/v2/graphql", newName); a.header.Get("Sunset") != "" {
			t.Errorf("version 2 stays: %v", a.header)
		}
	})
	t.Run("ended", func(t *testing.T) {
		p, _ := serveSmallDemo(t, "--version-sunset", "1=2026-11-02")
		for _, a := range []*versionedAnswer{p.askAt(t, "/v1/graphql", "{ __typename }"), p.askAt(t, "/graphql", "{ __typename }", "Api-Version", "1")} {
			if a.status != http.StatusGone || a.code() != "VERSION_SUNSET" || !strings.Contains(strings.Join(a.header.Values("Link"), ""), `</versions>; rel="sunset"`) || a.header.Get("Sunset") != "Mon, 02 Nov 2026 00:00:00 GMT" {
				t.Errorf("got %d %v %v", a.status, a.Errors, a.header)
			}
		}
		if a := p.askAt(t, "/graphql", newName); a.status != http.StatusOK || a.header.Get("Api-Version") != "2" {
			t.Errorf("who names none gets the oldest that has not ended: %d %v", a.status, a.Errors)
		}
		status, _, body := p.get(t, "/versions", nil)
		var list struct {
			Versions []struct {
				Version, Status, Endpoint, Sunset string
				Default                           bool
				Deprecations                      []struct{ Coordinate, Sunset string }
			}
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK || len(list.Versions) != 2 {
			t.Fatalf("%d %s", status, body)
		}
		one, two := list.Versions[0], list.Versions[1]
		if one.Status != "ended" || one.Default || one.Sunset != "2026-11-02" || two.Status != "supported" || !two.Default || two.Endpoint != "/v2/graphql" ||
			len(two.Deprecations) > 0 || len(one.Deprecations) != 2 || one.Deprecations[1].Coordinate != "User.followedByViewer" {
			t.Errorf("got %s", body)
		}
	})
	t.Run("another default", func(t *testing.T) {
		p, _ := serveSmallDemo(t, "--default-version", "2", "--introspection", "none")
		if a := p.askAt(t, "/graphql", newName); a.status != http.StatusOK || a.header.Get("Api-Version") != "2" {
			t.Errorf("got %d %v", a.status, a.Errors)
		}
		if a := p.askAt(t, "/v1/graphql", oldName); a.status != http.StatusOK {
			t.Errorf("version 1 is there too: %d %v", a.status, a.Errors)
		}
		if _, _, body := p.get(t, "/versions", nil); strings.Contains(body, "followedByViewer") {
			t.Errorf("who may not read the schema learns of it here: %s", body)
		}
	})
	for _, args := range [][]string{{"--default-version", "9"}, {"--version-sunset", "9=2027-01-01"}, {"--version-sunset", "1=soon"}, {"--version-sunset", "1=2020-01-01"}, {"--default-version", "1", "--version-sunset", "1=2026-11-02"}} {
		if _, err := command(t, "", append([]string{"serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir()}, args...)...); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

// TestVersionsAndWhatIsKept holds that a document which is kept for one version is looked at anew in another: by its hash, and by GET.
func TestVersionsAndWhatIsKept(t *testing.T) {
	p, _ := serveSmallDemo(t)
	for range 2 {
		for path, want := range map[string]int{"/v1/graphql": 400, "/v2/graphql": 200, "/graphql?version=2": 200, "/graphql": 400} {
			if a := p.askAt(t, path, newName); a.status != want {
				t.Errorf("%s: %d %v", path, a.status, a.Errors)
			}
			path, query, _ := strings.Cut(path, "?")
			status, _, _ := p.get(t, path+"?query="+url.QueryEscape(newName)+"&"+query, func(r *http.Request) { r.Header.Set("Accept", "application/graphql-response+json") })
			if status != want {
				t.Errorf("GET %s %s: %d", path, query, status)
			}
		}
	}
}

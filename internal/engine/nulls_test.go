package engine

import (
	"errors"
	"testing"
)

var errBad = errors.New("bad")

const (
	nullElement = "the requested element is null which the schema does not allow"
	nullField   = "must not be null"
)

func TestNulls(t *testing.T) {
	lame := &thing{"Animal", fields{"id": "x"}} // without a nick
	for name, c := range map[string]struct {
		root           fields
		query          string
		data, problems string
	}{
		"nothing": {nil, `{a{id} list{id} full{id}}`, `{"a":null,"list":null,"full":null}`, ""},
		"nullable field takes it": {fields{"a": lame}, `{a{id nick} b: a{id}}`,
			`{"a":null,"b":{"id":"x"}}`, "a.nick: " + nullElement},
		"rises to the root": {fields{"sure": lame, "a": animal("1")}, `{a{id} sure{nick}}`, `null`, "sure.nick: " + nullElement},
		"root itself null":  {nil, `{sure{id}}`, `null`, "sure: " + nullElement},
		"nullable elements take it": {fields{"list": []any{animal("1"), lame, nil, animal("2")}}, `{list{nick}}`,
			`{"list":[{"nick":"n1"},null,null,{"nick":"n2"}]}`, "list[1].nick: " + nullElement},
		"non-null elements pass it to the list": {fields{"full": []any{animal("1"), lame, nil, lame}}, `{full{nick}}`,
			`{"full":null}`, "full[1].nick: " + nullElement + "\nfull[2]: " + nullElement + "\nfull[3].nick: " + nullElement},
		"non-null list of non-null elements to the root": {fields{"all": []any{nil}}, `{all{id}}`, `null`, "all[0]: " + nullElement},
		"nil slices": {fields{"list": []any(nil), "full": []any(nil), "some": []any(nil), "all": []any(nil)},
			`{list{id} full{id} some{id} all{id}}`, `{"list":null,"full":null,"some":[],"all":[]}`, ""},
		"empty slices":              {fields{"list": []any{}, "all": []any{}}, `{list{id} all{id}}`, `{"list":[],"all":[]}`, ""},
		"no list where one must be": {fields{"a": animal("1")}, `{a{id} some{id}}`, `null`, "some: " + nullField},
		"through lists in lists": {fields{"list": []any{
			animal("1", fields{"young": []any{animal("2"), lame}}), nil,
			animal("3", fields{"pack": []any{animal("4"), lame}, "young": []any{}}),
			animal("5", fields{"pack": []any{}, "young": []any{animal("6"), animal("7")}}),
		}}, `{list{id pack{nick} young{nick}}}`,
			`{"list":[null,null,{"id":"3","pack":[{"nick":"n4"},null],"young":[]},{"id":"5","pack":[],"young":[{"nick":"n6"},{"nick":"n7"}]}]}`,
			"list[0].pack: " + nullField + "\nlist[0].young[1].nick: " + nullElement + "\nlist[2].pack[1].nick: " + nullElement},
		"a null list between others": {fields{"list": []any{
			animal("1", fields{"young": []any{animal("2"), animal("3")}}), animal("4"), animal("5", fields{"young": []any(nil)}),
			animal("6", fields{"young": errBad}), animal("7", fields{"young": []any{animal("8")}}),
		}}, `{list{young{id}}}`,
			`{"list":[{"young":[{"id":"2"},{"id":"3"}]},{"young":null},{"young":null},{"young":null},{"young":[{"id":"8"}]}]}`, "list[3].young: bad"},
		"an error explains a null": {fields{"list": []any{animal("1", fields{"cry": errBad}), animal("2", fields{"cry": "wau"})}}, `{list{cry}}`,
			`{"list":[null,{"cry":"wau"}]}`, "list[0].cry: bad"},
		"errors in the order of the query": {fields{"a": animal("1", fields{"slow": errBad, "mate": errBad, "sound": errBad, "home": errBad}), "node": errBad},
			`{node{id} a{sound home{id} mate{id} slow}}`, `{"node":null,"a":{"sound":null,"home":null,"mate":null,"slow":null}}`,
			"node: bad\na.sound: bad\na.home: bad\na.mate: bad\na.slow: bad"},
		"what stands after a null is reported too": {fields{"a": animal("1", fields{"cry": errBad, "parent": errBad, "slow": errBad})},
			`{a{cry slow parent{id}}}`, `{"a":null}`, "a.cry: bad\na.slow: bad\na.parent: bad"},
		"objects that stand in their parents": {fields{"list": []any{
			animal("1", fields{"home": stone("s", nil), "stones": []any{}}),
			animal("2", fields{"home": stone("s", 2), "stones": []any{stone("t", nil)}}),
			animal("3", fields{"stones": []any(nil), "bits": []any{nil, stone("u", 1)}}),
			animal("4", fields{"stones": boom("oh")}),
		}}, `{list{home{weight} stones{weight} bits{id}}}`,
			`{"list":[{"home":null,"stones":[],"bits":null},null,{"home":null,"stones":[],"bits":[null,{"id":"u"}]},null]}`,
			"list[0].home.weight: " + nullElement + "\nlist[1].stones[0].weight: " + nullElement + "\nlist[3].stones: panic: oh"},
		"interfaces": {fields{"must": &thing{typ: "Ghost"}, "node": &thing{typ: "Ghost"}}, `{node{id} must{id}}`, `null`, "must: " + nullField},
	} {
		t.Run(name, func(t *testing.T) {
			newZoo(t, c.root).expect(t, Run{}, c.query, nil, c.data, c.problems)
		})
	}
}

func TestTypesSideBySide(t *testing.T) {
	mate := animal("m")
	mixed := []any{
		animal("1", fields{"name": "A", "mate": mate}), stone("2", 5), nil, &thing{typ: "Ghost"},
		animal("3", fields{"name": "B"}), &thing{"Stone", fields{"id": "4", "weight": 6, "of": mate}},
	}
	z := newZoo(t, fields{"nodes": mixed, "things": []any{mixed[1], mixed[0]}})
	z.expect(t, Run{}, `{nodes{__typename id ...on Named{name} ...on Animal{mate{id}} ...S} things{...on Node{id} ...S ...on Thing{t: __typename}}}
		fragment S on Stone{weight of{...on Node{id}}}`, nil,
		`{"nodes":[{"__typename":"Animal","id":"1","name":"A","mate":{"id":"m"}},{"__typename":"Stone","id":"2","weight":5,"of":null},null,null,`+
			`{"__typename":"Animal","id":"3","name":"B","mate":null},{"__typename":"Stone","id":"4","weight":6,"of":{"id":"m"}}],`+
			`"things":[{"id":"2","weight":5,"of":null,"t":"Stone"},{"id":"1","t":"Animal"}]}`, "")
	if got := z.sizes["Stone.of"]; len(got) != 2 || got[0]+got[1] != 3 {
		t.Errorf("batches of Stone.of: %v, want one of 2 and one of 1", got)
	}
	z.expect(t, Run{}, `{things{__typename}}`, nil, `{"things":[{"__typename":"Stone"},{"__typename":"Animal"}]}`, "")
	newZoo(t, fields{"things": []any{stone("1", 1), &thing{typ: "Ghost"}}}).
		expect(t, Run{}, `{things{__typename}}`, nil, `{"things":null}`, "things[1]: "+nullElement)
}

// The length of one list is a guess for the others, and not believed without bound.
func TestRoomIsBounded(t *testing.T) {
	young := make([]any, 3000)
	for i := range young {
		young[i] = animal("y")
	}
	list := []any{animal("0", fields{"young": []any{}}), animal("1", fields{"young": young})}
	for range 3000 {
		list = append(list, animal("2", fields{"young": []any(nil)}))
	}
	z := newZoo(t, fields{"list": list})
	plans, _ := z.plans(t, `{list{young{id}}}`, nil)
	plan, err := plans.For(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{plan: plan, gate: newGate(0)}
	root := &column{sel: plan.root, objs: []any{nil}, results: make([]result, 1)}
	r.together(r.expand(withGate(inOperation(t.Context(), nil), r.gate), root, nil))
	res := root.results[0].below[0].results[0]
	if len(res.refs) != len(young) || cap(res.refs) > 2*maxRoom || cap(res.below[0].objs) > 2*maxRoom {
		t.Errorf("room for %d references and %d objects, of which there are %d", cap(res.refs), cap(res.below[0].objs), len(res.refs))
	}
}

package doctor
import ("testing";"fmt";"strings";"slices")
func TestCov(t *testing.T) {
	n := openNetwork(t).people(t)
	r, _ := Check(t.Context(), n.targets(), Options{Write: true})
	cov := map[string]bool{}
	add := func(bs []broken) { for _, b := range bs { for _, w := range b.want { p := strings.Split(w, "."); cov[p[len(p)-1]] = true; cov[w]=true } } }
	add(brokenUsers()); add(brokenPosts(n)); add(brokenComments(n)); add(brokenEdges())
	for _, bs := range brokenWrites(n) { add(bs) }
	var out []string
	for _, c := range names(r) {
		p := strings.SplitN(c, ".", 2)[1]
		last := p[strings.LastIndex(p, ".")+1:]
		if strings.HasPrefix(c, "user.")||true { if !cov[last] { out = append(out, p) } }
	}
	slices.Sort(out)
	fmt.Println(len(names(r)), strings.Join(slices.Compact(out), "\n"))
}

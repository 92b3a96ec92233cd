package safety

// advisoriesOf is when the table below was last gone through.
const advisoriesOf = "August 2026"

// gate says what the gate's usual policy does about a hole: teammates get
// inference and lists, no pull, push, create, copy, delete or blobs.
type gate int

const (
	stops  gate = iota
	passes      // it is in what teammates may do, or does not come by the gate
	halves      // stopped at the gate; the owner's own browser goes straight to Ollama
)

// advisory is one known hole of Ollama.
type advisory struct {
	id      string
	what    string // ends the sentence "It lets …"
	from    string // the first version affected; "" for the first of all
	through string // the last version known to be affected, where no fix is recorded
	fixed   string // the first version without it; "" when none is recorded
	os      string // the only system affected; "" for all
	gate    gate
	unsure  bool // sources contradict each other about which versions it is
	source  string
}

// The sources.
const (
	vulndb = "Go vulnerability database, 21 August 2026"
	thread = "reports at github.com/ollama/ollama"
	read   = "Ollama 0.17.4, read in its source"
	notice = "published by the finders"
	record = "CVE record, not checked"
)

// advisories are the holes that are Ollama's for sure or by all likelihood.
// Left out are CVE-2025-0313, -0314 and -0316, which are another program's or
// contradict each other, and CVE-2025-63389, "there is no authentication",
// which every version has and which is what the gate is for.
var advisories = []advisory{
	{id: "CVE-2024-28224", what: "a web page in your browser use Ollama (DNS rebinding)", fixed: "0.1.29", gate: halves, source: vulndb},
	{id: "CVE-2024-37032", what: "requests to pull or push a model write files anywhere and run programs", fixed: "0.1.34", source: vulndb},
	{id: "CVE-2025-44779", what: "a request to pull a model delete files", from: "0.1.33", fixed: "0.1.34", source: vulndb},
	{id: "CVE-2024-39719", what: "a request to create a model find out which files exist", through: "0.3.14", unsure: true, source: thread},
	{id: "CVE-2024-39720", what: "a request to create a model stop Ollama", fixed: "0.1.46", source: vulndb},
	{id: "CVE-2024-39721", what: "a request to create a model hang Ollama", fixed: "0.1.34", unsure: true, source: record},
	{id: "CVE-2024-39722", what: "a request to push a model find out which files exist", fixed: "0.1.46", unsure: true, source: record},
	{id: "CVE-2024-45436", what: "a request to create a model write files anywhere and run programs", fixed: "0.1.47", source: vulndb},
	{id: "CVE-2024-7773", what: "a request to create a model write files anywhere (likely the same as CVE-2024-45436)", from: "0.1.37", fixed: "0.1.47", unsure: true, source: record},
	{id: "CVE-2024-8063", what: "a crafted model file stop Ollama", through: "0.3.3", source: vulndb},
	{id: "CVE-2024-12055", what: "a crafted model file stop Ollama", through: "0.3.14", source: vulndb},
	{id: "CVE-2024-12886", what: "a hostile server of models fill the memory when one is pulled", fixed: "0.4.0-ci1", source: vulndb},
	{id: "CVE-2025-0312", what: "a crafted model file stop Ollama", through: "0.3.14", source: vulndb},
	{id: "CVE-2025-0315", what: "a crafted model file fill the memory", through: "0.3.14", source: vulndb},
	{id: "CVE-2025-0317", what: "a crafted model file stop Ollama", through: "0.3.14", source: vulndb},
	{id: "CVE-2025-1975", what: "a request to pull a model stop Ollama", through: "0.5.11", source: vulndb},
	{id: "CVE-2025-51471", what: "a hostile server of models get Ollama's access token when one is pulled", fixed: "0.14.3", source: thread + " and " + read},
	{id: "CVE-2025-15514", what: "a broken picture in a chat stop a model that reads pictures", from: "0.11.5", through: "0.17.4", gate: passes, source: read},
	{id: "CVE-2025-66959", what: "a crafted model file fill the memory", through: "0.17.4", source: read},
	{id: "CVE-2025-66960", what: "a crafted model file stop Ollama", through: "0.17.4", source: read},
	{id: "CVE-2026-7482", what: "requests to create and push a model carry away what is in Ollama's memory (Bleeding Llama)", fixed: "0.17.1", source: vulndb},
	{id: "CVE-2026-5530", what: "a request to pull a model reach other machines of your network", through: "0.18.1", source: notice},
	{id: "CVE-2026-7020", what: "a request to pull a model write files in wrong places", through: "0.20.2", source: vulndb},
	{id: "CVE-2026-42248", what: "a tampered update run on Windows", through: "0.17.4", os: "windows", gate: passes, source: notice},
	{id: "CVE-2026-42249", what: "a tampered update run on Windows", through: "0.17.4", os: "windows", gate: passes, source: notice},
}

// hit says whether a version has a hole.
type hit int

const (
	misses hit = iota
	perhaps
	hits
)

// of says whether this hole is in a version on a system. After the last version
// known to be affected, with no fix recorded, nobody knows.
func (a advisory) of(v release, goos string) hit {
	if a.os != "" && a.os != goos {
		return misses
	}
	if first, ok := parseRelease(a.from); ok && v.compare(first) < 0 {
		return misses
	}
	found := hits
	if a.unsure {
		found = perhaps
	}
	if fixed, ok := parseRelease(a.fixed); ok {
		if v.compare(fixed) >= 0 {
			return misses
		}
		return found
	}
	if last, ok := parseRelease(a.through); ok && v.compare(last) > 0 {
		return perhaps
	}
	return found
}

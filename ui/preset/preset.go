// Package preset says in words what the presets of websites are for.
package preset

// Title names a preset as people know it. One that is not known keeps its name.
func Title(name string) string {
	switch name {
	case "local":
		return "A teammate's own computer"
	case "extensions":
		return "Browser extensions"
	case "obsidian":
		return "Obsidian"
	case "vscode":
		return "Visual Studio Code"
	case "tauri":
		return "Desktop apps built with Tauri"
	}
	return name
}

// Means says what a preset lets in.
func Means(name string) string {
	switch name {
	case "local":
		return "pages that run there at localhost, on any port, such as a web app that they develop"
	case "extensions":
		return "every extension that a teammate has in their browser, not only those you know"
	case "obsidian":
		return "the app and its plugins, on computers and phones"
	case "vscode":
		return "the panels of its extensions"
	case "tauri":
		return "programs whose windows are web pages inside"
	}
	return ""
}

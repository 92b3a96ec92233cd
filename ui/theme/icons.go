package theme

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"paddock/assets"
)

func themed(icon assets.Icon) fyne.Resource {
	return fynetheme.NewThemedResource(fyne.NewStaticResource(string(icon)+".svg", icon.SVG()))
}

var icons = map[fyne.ThemeIconName]fyne.Resource{
	fynetheme.IconNameArrowDropDown: themed(assets.Down),
	fynetheme.IconNameArrowDropUp:   themed(assets.Fold),
	fynetheme.IconNameMenuExpand:    themed(assets.Right),
	fynetheme.IconNameNavigateNext:  themed(assets.Right),
	fynetheme.IconNameMoveUp:        themed(assets.Up),
	fynetheme.IconNameConfirm:       themed(assets.Allowed),
	fynetheme.IconNameCancel:        themed(assets.Close),
	fynetheme.IconNameWindowClose:   themed(assets.Close),
	fynetheme.IconNameContentClear:  themed(assets.Close),
	fynetheme.IconNameContentAdd:    themed(assets.Plus),
	fynetheme.IconNameContentCopy:   themed(assets.Copy),
	fynetheme.IconNameSearch:        themed(assets.Search),
	fynetheme.IconNameSettings:      themed(assets.Settings),
	fynetheme.IconNameAccount:       themed(assets.Person),
	fynetheme.IconNameDownload:      themed(assets.Export),
	fynetheme.IconNameWarning:       themed(assets.Attention),
	fynetheme.IconNameError:         themed(assets.Danger),
	fynetheme.IconNameMediaPlay:     themed(assets.Running),
	fynetheme.IconNameMediaPause:    themed(assets.Paused),
	fynetheme.IconNameMediaStop:     themed(assets.Stop),
}

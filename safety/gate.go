package safety

import (
	"fmt"
	"strings"
	"time"
)

// plain says whether the gate takes connections without encryption.
func plain(e Evidence) Fact {
	if !e.AllowHTTP {
		return Fact{ID: PlainHTTP, Level: OK, Title: "Only encrypted connections are taken", Detail: "Plain HTTP is off."}
	}
	f := Fact{
		ID: PlainHTTP, Level: Attention, Title: "Plain HTTP is allowed",
		Detail: "Anyone who listens in on the network can read the keys, prompts and answers that come by it.",
		Fix:    []Step{{Text: "Take encrypted connections only. Programs that use http:// addresses need https:// then.", Code: "paddock settings set share.allow-http false"}},
		Act:    ActRequireTLS,
	}
	if e.PlainRequests > 0 {
		f.Detail += count(e.PlainRequests, " One request came unencrypted lately.", " %d requests came unencrypted lately.")
	}
	return f
}

// taken says who else listens on the gate's port.
func taken(e Evidence) Fact {
	f := Fact{ID: PortTaken}
	own := e.Found.OwnPort
	if !own.Read {
		f.Level, f.Title = Unknown, fmt.Sprintf("Whether others listen on port %d was not looked up", e.Port)
		f.Detail = fmt.Sprintf("Paddock does not do that on %s.", systemName(e.OS))
		if e.OS == "linux" {
			f.Detail = "The list of listening programs could not be read."
		}
		return f
	}
	var who []string
	for _, l := range own.List {
		if l.Own {
			continue
		}
		name := clean(l.Who)
		if name == "" {
			name = "a program of another account"
		}
		who = append(who, name)
		f.Items = append(f.Items, Item{l.Addr.String(), name})
	}
	switch {
	case len(who) == 0 && e.Listening:
		f.Level, f.Title = OK, fmt.Sprintf("Only Paddock listens on port %d", e.Port)
		return f
	case len(who) == 0:
		f.Level, f.Title = OK, fmt.Sprintf("Nobody else listens on port %d", e.Port)
		return f
	case e.Listening:
		f.Level, f.Title = Attention, fmt.Sprintf("Another program listens on port %d too", e.Port)
		f.Detail = fmt.Sprintf("It is %s at %s. Whoever connects to that address may reach it in place of the gate, and hand it their key.", who[0], f.Items[0].Name)
	default:
		f.Level, f.Title = Attention, fmt.Sprintf("Another program listens on port %d", e.Port)
		f.Detail = fmt.Sprintf("It is %s at %s. Sharing may not start there, or not get all connections.", who[0], f.Items[0].Name)
	}
	other := 11435
	if e.Port == other {
		other = 11436
	}
	f.Fix = []Step{
		{Text: "End that program, if you do not need it."},
		{Text: "Or let Paddock take another port; teammates need the new address then.", Code: fmt.Sprintf("paddock settings set share.listen :%d", other)},
	}
	return f
}

// firewall says whether teammates get as far as the gate. It never makes a
// problem: what a firewall blocks, nobody walks around.
func firewall(e Evidence) Fact {
	f := Fact{ID: PortFirewall, Level: Unknown}
	w := e.Found.Firewall
	const harm = " If a firewall blocks the port, teammates cannot connect; it never lets anybody around the gate."
	switch w.Kind {
	case "ufw":
		allow := []Step{{Text: "Let the port in:", Code: fmt.Sprintf("sudo ufw allow %d/tcp", e.Port)}}
		switch {
		case !w.On:
			f.Level, f.Title, f.Detail = OK, "The firewall (ufw) is off", "It keeps no teammate from connecting. The gate asks everybody for a key."
		case w.Port == PortOpen:
			f.Level, f.Title, f.Detail = OK, fmt.Sprintf("The firewall (ufw) lets port %d in", e.Port), "Teammates can connect."
		case w.Port == PortSome:
			f.Level, f.Title, f.Detail = OK, fmt.Sprintf("The firewall (ufw) lets some addresses in to port %d", e.Port), "Teammates at other addresses cannot connect."
		case w.Port == PortClosed:
			f.Level, f.Title, f.Detail = Attention, fmt.Sprintf("The firewall (ufw) blocks port %d", e.Port), "Teammates cannot connect. Nobody gets around the gate by it."
			f.Fix = allow
		default:
			f.Title, f.Detail = "The firewall (ufw) is on", "Only the administrator may read its rules."+harm
			allow[0].Text = "If teammates cannot connect, let the port in:"
			f.Fix = allow
		}
	case "firewalld":
		f.Title, f.Detail = "A firewall (firewalld) runs", "Its rules were not read."+harm
		f.Fix = []Step{{
			Text: "If teammates cannot connect, let the port in:",
			Code: fmt.Sprintf("sudo firewall-cmd --permanent --add-port=%d/tcp && sudo firewall-cmd --reload", e.Port),
		}}
	case "windows":
		if !w.On {
			f.Level, f.Title, f.Detail = OK, "Windows Firewall is off for private networks", "It keeps no teammate from connecting. The gate asks everybody for a key."
			break
		}
		f.Title, f.Detail = "Windows Firewall is on", "Its rules were not read."+harm
		f.Fix = []Step{{Text: "If teammates cannot connect, open “Allow an app through Windows Firewall” and tick Paddock for private networks."}}
	default:
		f.Title = "What a firewall does was not looked up"
		f.Detail = fmt.Sprintf("On %s Paddock does not read it.", systemName(e.OS))
		if e.OS == "linux" {
			f.Title, f.Detail = "No firewall that Paddock knows was found", "It knows ufw and firewalld; others, and rules set by hand, it does not see."
		}
		f.Detail += harm
	}
	return f
}

// soon is when a certificate of the owner's own is spoken of.
const soon = 14 * 24 * time.Hour

// certificate says whether clients can trust what the gate shows.
func certificate(e Evidence) Fact {
	f := Fact{ID: CertificateOK, Level: Attention}
	c := e.Certificate
	renew := []Step{{Text: "Start Paddock again: it makes itself a new one."}}
	name := "Paddock's certificate"
	if c.Own {
		renew = []Step{{Text: "Get a new one from where this one came from, and put it in the same files; Paddock must be able to read them."}}
		name = "Your own certificate"
	}
	switch {
	case c.Fault != "":
		f.Title, f.Detail, f.Fix = name+" could not be read", sentence(c.Fault), renew
	case !c.Ready:
		f.Level, f.Title, f.Detail = Unknown, "There is no certificate yet", "Paddock makes one when sharing starts."
	case !c.NotAfter.IsZero() && e.Now.After(c.NotAfter):
		f.Title, f.Detail, f.Fix = name+" has expired", fmt.Sprintf("It was good until %s. Teammates' programs refuse to connect.", e.day(c.NotAfter)), renew
	case e.Now.Before(c.NotBefore.Add(-slack)):
		f.Title, f.Detail, f.Fix = name+" is not good yet", fmt.Sprintf("It begins on %s. Teammates' programs refuse to connect until then, if the clock of this machine is right.", e.day(c.NotBefore)), renew
	case c.Own && !c.NotAfter.IsZero() && c.NotAfter.Sub(e.Now) < soon:
		f.Title, f.Detail, f.Fix = name+" expires soon", fmt.Sprintf("It is good until %s. After that, teammates' programs refuse to connect.", e.day(c.NotAfter)), renew
	case c.Temporary && e.Vault.Kind == "memory" && e.Vault.Asked:
		f.Level, f.Title, f.Detail = OK, name+" ends with the program", "It is in memory, as you asked. After each start teammates have a new one to trust."
	case c.Temporary:
		f.Title, f.Detail = name+" ends with the program", "There is no place to keep it. After each start teammates have a new one to trust, and get used to doing so unseen."
		f.Fix = e.keepSecrets()
	default:
		f.Level, f.Title = OK, name+" is good"
		if !c.NotAfter.IsZero() {
			f.Detail = fmt.Sprintf("Until %s.", e.day(c.NotAfter))
			if !c.Own {
				f.Detail = fmt.Sprintf("Until %s; it is renewed by itself.", e.day(c.NotAfter))
			}
		}
	}
	return f
}

// sentence makes one of the system's words.
func sentence(words string) string {
	return "The system says: " + strings.TrimSuffix(clean(words), ".") + "."
}

// network says whether sharing waits for a network that the owner knows.
func network(e Evidence) Fact {
	f := Fact{ID: NetworkKnown, Level: Attention}
	name := clean(e.Network.Name)
	this := "This network"
	if name != "" {
		this = name
	}
	settings := []Step{{Text: "Say in the settings which networks to share on. This shows what is chosen:", Code: "paddock settings get share.network"}}
	switch e.Network.Waits {
	case "unknown":
		f.Title, f.Detail, f.Fix = this+" is not known", "Sharing waits until you say that you trust it.", settings
	case "public":
		f.Title, f.Detail, f.Fix = this+" is a public one", "Sharing waits: on a public network strangers are near. It goes on by itself on a network that you chose.", settings
	case "gone":
		f.Title, f.Detail, f.Fix = "The network that you chose is not here", "Sharing waits, and goes on by itself when it is back.", settings
	default:
		f.Level = OK
		if choice := clean(e.Network.Choice); choice != "" {
			f.Title, f.Detail = "You chose where to share", "On "+choice+"."
			break
		}
		f.Title = "Sharing is for private networks"
		if name != "" {
			f.Detail = "Now on " + name + "."
		}
	}
	return f
}

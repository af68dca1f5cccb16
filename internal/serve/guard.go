package serve

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"moncae/internal/report"
)

// cookie keeps the token in the browser, so that it leaves the address.
const cookie = "moncae-token"

// guard lets those requests through that name a host of o, and know its token.
func guard(next http.Handler, o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", report.Policy+"; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !slices.Contains(o.Hosts, hostOf(r.Host)) {
			http.Error(w, "This server does not answer for that host name.", http.StatusForbidden)
			return
		}
		if o.Token != "" && !admitted(w, r, o.Token) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admitted tells whether the request brings the token. One in the address becomes
// a cookie, and the address is asked for without it.
func admitted(w http.ResponseWriter, r *http.Request, token string) bool {
	same := func(s string) bool { return subtle.ConstantTimeCompare([]byte(s), []byte(token)) == 1 }
	query := r.URL.Query()
	if same(query.Get("token")) {
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		query.Del("token")
		target := *r.URL
		target.Scheme, target.Host, target.RawQuery = "", "", query.Encode()
		target.Path = "/" + strings.TrimLeft(target.Path, "/") // never another host
		http.Redirect(w, r, target.String(), http.StatusSeeOther)
		return false
	}
	if c, err := r.Cookie(cookie); err == nil && same(c.Value) {
		return true
	}
	http.Error(w, "The address lacks the token: take the one that `moncae serve` printed.", http.StatusForbidden)
	return false
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return strings.ToLower(host)
	}
	return strings.ToLower(strings.Trim(hostport, "[]"))
}

// Hosts are the names that a listener on address can be reached by, and whether
// that is from this machine alone.
func Hosts(address net.Addr, given string) (hosts []string, local bool) {
	host := hostOf(given)
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return []string{host}, false
	}
	if tcp.IP.IsLoopback() {
		return slices.Compact([]string{"localhost", "127.0.0.1", "::1", tcp.IP.String()}), true
	}
	if !tcp.IP.IsUnspecified() {
		return []string{host, tcp.IP.String()}, false
	}
	hosts = []string{"localhost"}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, strings.ToLower(name))
	}
	if all, err := net.InterfaceAddrs(); err == nil {
		for _, a := range all {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				hosts = append(hosts, p.Addr().String())
			}
		}
	}
	return hosts, false
}

// NewToken draws a token.
func NewToken() string {
	b := make([]byte, 18)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

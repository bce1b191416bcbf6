// Command workspace stands in for a Databricks workspace on localhost: the one that the CLI is tested against by its
// own makers, with what this project asks of a workspace beyond it (checks.go, listing.go, runs.go).
//
// It prints its address and serves until it is interrupted. Each token is a workspace of its own; one that begins
// with "dbapi1" belongs to a service principal, one that begins with "denied" may read and not write.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/databricks/cli/libs/testserver"
)

// The testing.T that the stand-in reports to: a handler that is missing is an ERROR line in the log.
type logged struct{}

func (logged) Log(a ...any)              { log.Print(a...) }
func (logged) Logf(f string, a ...any)   { log.Printf(f, a...) }
func (logged) Error(a ...any)            { log.Print("ERROR ", fmt.Sprint(a...)) }
func (logged) Errorf(f string, a ...any) { log.Printf("ERROR "+f, a...) }
func (logged) Fatal(a ...any)            { log.Fatal(a...) }
func (logged) Fatalf(f string, a ...any) { log.Fatalf(f, a...) }
func (logged) FailNow()                  { log.Fatal("FailNow") }
func (logged) Skip(a ...any)             { log.Fatal(a...) }
func (logged) Skipf(f string, a ...any)  { log.Fatalf(f, a...) }
func (logged) Helper()                   {}
func (logged) Context() context.Context  { return context.Background() }
func (logged) Cleanup(func())            {}
func (logged) TempDir() string           { return os.TempDir() }
func (logged) Setenv(name, value string) { os.Setenv(name, value) }

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen; port 0 is any free one")
	runner := flag.String("runner", "", "command, its words separated by spaces, that runs a job (see runs.go)")
	folder := flag.String("folder", "", "where runs keep their data, in a folder named after the token")
	flag.Parse()

	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	url := "http://" + listener.Addr().String()

	server := testserver.New(logged{})
	server.RequestCallback = func(r *testserver.Request) { log.Printf("%s %s", r.Method, r.URL) }
	server.Router.Use(denyWrites)
	// Before the defaults: of two handlers for one path the first is taken.
	addChecks(server)
	addListing(server)
	newRuns(stop, url, strings.Fields(*runner), *folder).addHandlers(server)
	testserver.AddDefaultHandlers(server)

	service := &http.Server{Handler: server.Router}
	go func() {
		<-stop.Done()
		service.Close()
	}()
	fmt.Println(url)
	if err := service.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}

// denyWrites refuses what changes anything to a token without rights, as a workspace does.
func denyWrites(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		denied := strings.HasPrefix(token(r.Header), "denied")
		if denied && r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"error_code": "PERMISSION_DENIED", "message": "no permission for %s %s"}`, r.Method, r.URL.Path)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func token(headers http.Header) string {
	return strings.TrimPrefix(headers.Get("Authorization"), "Bearer ")
}

package main

import (
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/databricks/cli/libs/testserver"
	"github.com/databricks/databricks-sdk-go/service/ml"
	"github.com/databricks/databricks-sdk-go/service/workspace"
)

// addListing adds the lists of the real API that the CLI's own stand-in does without: what was deployed, and what is
// left after it was destroyed.
func addListing(server *testserver.Server) {
	server.Handle("GET", "/api/2.1/unity-catalog/schemas", func(r testserver.Request) any {
		return testserver.MapList(r.Workspace, r.Workspace.Schemas, "schemas")
	})
	server.Handle("GET", "/api/2.1/unity-catalog/volumes", func(r testserver.Request) any {
		return testserver.MapList(r.Workspace, r.Workspace.Volumes, "volumes")
	})
	server.Handle("GET", "/api/2.1/unity-catalog/models", func(r testserver.Request) any {
		return testserver.MapList(r.Workspace, r.Workspace.RegisteredModels, "registered_models")
	})
	server.Handle("GET", "/api/2.0/lakeview/dashboards", func(r testserver.Request) any {
		return testserver.MapList(r.Workspace, r.Workspace.Dashboards, "dashboards")
	})
	server.Handle("POST", "/api/2.0/mlflow/experiments/search", searchExperiments)
	addFiles(server)
}

func searchExperiments(r testserver.Request) any {
	defer r.Workspace.LockUnlock()()
	found := ml.SearchExperimentsResponse{}
	for _, one := range r.Workspace.Experiments {
		if one.Experiment.LifecycleStage != "deleted" {
			found.Experiments = append(found.Experiments, *one.Experiment)
		}
	}
	return found
}

// addFiles remembers the paths of the files that were imported, of which the stand-in itself can give no list.
func addFiles(server *testserver.Server) {
	files := paths{seen: map[*testserver.FakeWorkspace]map[string]bool{}}
	server.Handle("POST", "/api/2.0/workspace-files/import-file/{path:.*}", func(r testserver.Request) any {
		name := "/" + strings.TrimPrefix(r.Vars["path"], "/")
		files.add(r.Workspace, name)
		return r.Workspace.WorkspaceFilesImportFile(name, r.Body, r.URL.Query().Get("overwrite") == "true")
	})
	server.Handle("GET", "/api/2.0/workspace/list", func(r testserver.Request) any {
		return workspace.ListResponse{Objects: files.list(r.Workspace, r.URL.Query().Get("path"))}
	})
}

type paths struct {
	mutex sync.Mutex
	seen  map[*testserver.FakeWorkspace]map[string]bool
}

func (p *paths) add(where *testserver.FakeWorkspace, name string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.seen[where] == nil {
		p.seen[where] = map[string]bool{}
	}
	p.seen[where][name] = true
	p.seen[where][strings.TrimSuffix(name, ".py")] = true // a notebook loses its suffix
}

// list gives what lies directly in a folder and has not been deleted since.
func (p *paths) list(where *testserver.FakeWorkspace, folder string) []workspace.ObjectInfo {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	folder = strings.TrimSuffix(folder, "/") + "/"
	found := map[string]workspace.ObjectInfo{}
	for name := range p.seen[where] {
		rest, inside := strings.CutPrefix(name, folder)
		if !inside || !where.FileExists(name) {
			continue
		}
		first, _, _ := strings.Cut(rest, "/")
		if info, ok := status(where, path.Join(folder, first)); ok {
			found[first] = info
		}
	}
	objects := []workspace.ObjectInfo{}
	for _, info := range found {
		objects = append(objects, info)
	}
	slices.SortFunc(objects, func(a, b workspace.ObjectInfo) int { return cmp.Compare(a.Path, b.Path) })
	return objects
}

func status(where *testserver.FakeWorkspace, name string) (workspace.ObjectInfo, bool) {
	response := where.WorkspaceGetStatus(name)
	info := workspace.ObjectInfo{}
	text, err := json.Marshal(response.Body)
	if err != nil || response.StatusCode != 0 || json.Unmarshal(text, &info) != nil {
		return info, false
	}
	return info, true
}

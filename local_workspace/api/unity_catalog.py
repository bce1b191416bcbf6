"""Unity Catalog: the ids of schemas and tables, `/api/2.1/unity-catalog`."""

from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter

from local_workspace.api.context import Context
from local_workspace.api.errors import not_found
from project.tables import quoted_name


def make_router(context: Context) -> APIRouter:
    """The calls that `WorkspaceClient().tables` and `.schemas` make."""
    router = APIRouter(prefix="/api/2.1/unity-catalog")
    tables = context.documents("tables")

    @router.get("/schemas/{full_name}")
    def get_schema(full_name: str) -> dict[str, object]:
        if not context.spark().catalog.databaseExists(quoted_name(full_name)):
            raise not_found(f"Schema '{full_name}' does not exist.")
        return {"full_name": full_name, "schema_id": _id_of(full_name)}

    @router.get("/tables/{full_name}")
    def get_table(full_name: str) -> dict[str, object]:
        if not context.spark().catalog.tableExists(quoted_name(full_name)):
            raise not_found(f"Table '{full_name}' does not exist.")
        table = {"full_name": full_name, "table_id": _id_of(full_name)}
        # Other APIs name a table by its id.
        if tables.get(table["table_id"]) is None:
            tables.put(table["table_id"], dict(table))
        return dict(table)

    return router


def _id_of(full_name: str) -> str:
    """The same for the same name, in every process."""
    return str(uuid5(NAMESPACE_URL, full_name))

"""Errors as the workspace's REST API tells them: a status, a code that the SDK knows, and a sentence."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_CODES = {401: "UNAUTHENTICATED", 404: "ENDPOINT_NOT_FOUND"}

Handler = Callable[[Request, Any], Awaitable[JSONResponse]]


class ApiError(Exception):
    """What a handler raises to answer with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Takes the HTTP status, the API's `error_code`, and what is wrong."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def not_found(message: str) -> ApiError:
    """What is asked for is not there."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def answer_errors(app: FastAPI) -> None:
    """Makes the app answer every error in the API's own shape, and never with a traceback."""
    app.add_exception_handler(ApiError, _own)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


def error_response(status: int, code: str, message: str) -> JSONResponse:
    """An error as the API tells it."""
    return JSONResponse({"error_code": code, "message": message}, status)


async def _own(_: Request, error: Any) -> JSONResponse:
    return error_response(error.status, error.code, error.message)


async def _invalid(_: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return error_response(400, "INVALID_PARAMETER_VALUE", f"{where}: {first['msg']}")


async def _http(request: Request, error: Any) -> JSONResponse:
    message = f"{request.method} {request.url.path}: the local workspace has no such API."
    code = _CODES.get(error.status_code, "BAD_REQUEST")
    return error_response(error.status_code, code, message if error.status_code == 404 else str(error.detail))  # noqa: PLR2004


async def _unforeseen(_: Request, error: Any) -> JSONResponse:
    # The server's log has the traceback; the caller is told no more than what it is.
    return error_response(500, "INTERNAL_ERROR", type(error).__name__)

#!/usr/bin/env python3
"""Google's own Python client against the Google Drive double.

Usage: drive_client_test.py --base-url http://127.0.0.1:PORT [--client-id ID --client-secret SECRET]
                            [--discovery drive.v3.json]

The client is pointed at the double by its documented means: a discovery document whose root URL is the
double's (`googleapiclient.discovery.build_from_document`). The document is the one the installed package
carries, unless --discovery names another. Prints one line per rule that held; exits 1 at the end if any did
not.
"""

import argparse
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import traceback
import urllib.parse

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the double speaks plain HTTP on loopback

import google.auth.exceptions
import googleapiclient.discovery
import requests
from google_auth_oauthlib.flow import Flow
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaFileUpload, MediaIoBaseDownload, MediaIoBaseUpload

SCOPES = ["https://www.googleapis.com/auth/drive"]
REDIRECT = "http://127.0.0.1:9/back"  # nobody listens: the test reads the redirect itself
FOLDER = "application/vnd.google-apps.folder"

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class World:
    """What the checks share: the service, the credentials, a folder of their own."""

    def __init__(self, base, client_id, client_secret, discovery):
        self.base, self.client_id, self.client_secret = base, client_id, client_secret
        with open(discovery, encoding="utf-8") as file:
            self.document = json.load(file)
        self.document["rootUrl"] = base + "/"
        self.document["baseUrl"] = base + "/" + self.document["servicePath"]
        self.document.pop("mtlsRootUrl", None)
        self.credentials = None
        self.service = None
        self.folder = None

    def flow(self):
        config = {
            "web": {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "auth_uri": self.base + "/o/oauth2/v2/auth",
                "token_uri": self.base + "/token",
                "redirect_uris": [REDIRECT],
            }
        }
        return Flow.from_client_config(config, scopes=SCOPES, redirect_uri=REDIRECT)

    def consent(self, url, decision="allow"):
        """Opens the consent page, presses a button, and answers where the browser is sent."""
        page = requests.get(url, timeout=10)
        assert page.status_code == 200, page.text
        request = re.search(r'name="request" value="([^"]+)"', page.text).group(1)
        account = re.search(r'name="account" value="([^"]+)" checked', page.text).group(1)
        answer = requests.post(
            url.split("?")[0],
            data={"request": request, "account": account, "decision": decision},
            allow_redirects=False,
            timeout=10,
        )
        assert answer.status_code == 302, answer.status_code
        return answer.headers["location"]

    def build(self):
        self.service = googleapiclient.discovery.build_from_document(self.document, credentials=self.credentials)

    def upload(self, name, content, mime_type="text/plain", parent=None, **body):
        media = MediaIoBaseUpload(io.BytesIO(content), mimetype=mime_type)
        body = {"name": name, "parents": [parent or self.folder], **body}
        fields = "id,name,size,md5Checksum,mimeType,parents"
        return self.service.files().create(body=body, media_body=media, fields=fields).execute()

    def download(self, file_id, chunk=1024 * 1024):
        out = io.BytesIO()
        loader = MediaIoBaseDownload(out, self.service.files().get_media(fileId=file_id), chunksize=chunk)
        rounds, done = 0, False
        while not done:
            _, done = loader.next_chunk()
            rounds += 1
        return out.getvalue(), rounds


def refused(request, status, reason):
    try:
        request.execute()
    except HttpError as error:
        details = json.loads(error.content)["error"]
        assert error.resp.status == status, f"{error.resp.status} instead of {status}: {details}"
        assert details["errors"][0]["reason"] == reason, details
        return details
    raise AssertionError(f"not refused; {status} {reason} was expected")


@check
def the_code_flow_with_pkce_gives_refreshable_credentials(w):
    flow = w.flow()
    flow.autogenerate_code_verifier = True
    url, state = flow.authorization_url(access_type="offline", prompt="consent")
    location = w.consent(url)
    answer = urllib.parse.parse_qs(urllib.parse.urlparse(location).query)
    assert answer["state"] == [state]
    flow.fetch_token(authorization_response=location)
    assert flow.credentials.refresh_token and flow.credentials.valid
    w.credentials = flow.credentials
    w.build()


@check
def a_denied_consent_comes_back_as_access_denied(w):
    url, state = w.flow().authorization_url(access_type="offline", prompt="consent")
    answer = urllib.parse.parse_qs(urllib.parse.urlparse(w.consent(url, "deny")).query)
    assert answer == {"error": ["access_denied"], "state": [state]}, answer


@check
def about_tells_the_person_and_needs_fields(w):
    about = w.service.about().get(fields="user(emailAddress,me),storageQuota/limit,exportFormats").execute()
    assert about["user"]["me"] is True and "@" in about["user"]["emailAddress"]
    assert int(about["storageQuota"]["limit"]) > 0
    refused(w.service.about().get(), 400, "required")


@check
def a_folder_is_a_file_of_googles_type(w):
    folder = w.service.files().create(body={"name": "Client test", "mimeType": FOLDER}).execute()
    assert folder == {"kind": "drive#file", "id": folder["id"], "name": "Client test", "mimeType": FOLDER}
    w.folder = folder["id"]


@check
def a_multipart_upload_arrives_byte_for_byte(w):
    content = bytes(range(256)) * 100 + b"\r\n--end\r\n\r"
    made = w.upload("bytes.bin", content, "application/octet-stream")
    assert made["size"] == str(len(content)) and made["md5Checksum"] == hashlib.md5(content).hexdigest()
    assert w.download(made["id"])[0] == content
    empty = w.upload("empty.txt", b"")
    assert empty["size"] == "0" and w.download(empty["id"])[0] == b""


@check
def a_resumable_upload_goes_in_chunks(w):
    content = os.urandom(1_000_003)
    path = os.path.join(w.scratch, "big.bin")
    with open(path, "wb") as file:
        file.write(content)
    media = MediaFileUpload(path, mimetype="application/x-test", chunksize=256 * 1024, resumable=True)
    request = w.service.files().create(
        body={"name": "big.bin", "parents": [w.folder]}, media_body=media, fields="id,size,mimeType,sha256Checksum"
    )
    made, rounds = None, 0
    while made is None:
        _, made = request.next_chunk()
        rounds += 1
    assert rounds == 4 and made["size"] == str(len(content)) and made["mimeType"] == "application/x-test"
    assert made["sha256Checksum"] == hashlib.sha256(content).hexdigest()
    w.big, w.big_content = made["id"], content


@check
def a_resumable_upload_of_unknown_length_and_of_nothing(w):
    class Endless(MediaIoBaseUpload):
        def size(self):
            return None

        def has_stream(self):
            return False  # the client's own streaming cannot do without a size

    content = b"x" * (300 * 1024)
    media = Endless(io.BytesIO(content), mimetype="text/plain", chunksize=256 * 1024, resumable=True)
    made = w.service.files().create(body={"name": "endless", "parents": [w.folder]}, media_body=media, fields="id,size")
    assert made.execute()["size"] == str(len(content))
    media = MediaIoBaseUpload(io.BytesIO(b""), mimetype="text/plain", resumable=True)
    made = w.service.files().create(body={"name": "nothing", "parents": [w.folder]}, media_body=media, fields="id,size")
    assert made.execute()["size"] == "0"


@check
def media_comes_back_in_ranges(w):
    content, rounds = w.download(w.big, chunk=300_000)
    assert content == w.big_content and rounds == 4


@check
def a_query_finds_and_pages_follow_each_other(w):
    for number in range(7):
        w.upload(f"page {number}.txt", b"lamp and crane" if number == 3 else b"x", starred=number % 2 == 0)
    query = f"'{w.folder}' in parents and name contains 'page' and trashed = false"
    request = w.service.files().list(q=query, pageSize=3, orderBy="name", fields="nextPageToken,files(id,name)")
    seen, pages = [], 0
    while request is not None:
        answer = request.execute()
        seen += [file["name"] for file in answer["files"]]
        pages += 1
        request = w.service.files().list_next(request, answer)
    assert seen == [f"page {number}.txt" for number in range(7)] and pages == 3, (seen, pages)

    def names(q):
        answer = w.service.files().list(q=f"'{w.folder}' in parents and ({q})", fields="files/name").execute()
        return sorted(file["name"] for file in answer.get("files", []))

    assert names("starred = true and name contains 'page'") == [f"page {n}.txt" for n in (0, 2, 4, 6)]
    assert names("fullText contains 'crane'") == ["page 3.txt"]
    assert names("mimeType = 'application/x-test' or name = 'PAGE 1.txt'") == ["big.bin", "page 1.txt"]
    assert names("modifiedTime > '2099-01-01T00:00:00'") == []
    w.upload("it's \\ back", b"x")
    assert names("name = 'it\\'s \\\\ back'") == ["it's \\ back"]


@check
def a_query_too_long_for_a_url_is_sent_in_a_body(w):
    query = " or ".join(f"name = 'page {number}.txt'" for number in range(120))
    answer = w.service.files().list(q=query, fields="files(name)").execute()
    assert len(answer["files"]) == 7, answer


@check
def google_documents_are_exported_not_downloaded(w):
    find = lambda kind: w.service.files().list(q=f"mimeType = 'application/vnd.google-apps.{kind}'").execute()["files"][0]
    document, sheet = find("document"), find("spreadsheet")
    text = w.service.files().export(fileId=document["id"], mimeType="text/plain").execute()
    assert b"harbour" in text
    pdf = w.service.files().export_media(fileId=document["id"], mimeType="application/pdf").execute()
    assert pdf.startswith(b"%PDF-1.4") and pdf.rstrip().endswith(b"%%EOF")
    table = w.service.files().export(fileId=sheet["id"], mimeType="text/csv").execute()
    assert table.splitlines()[0] == b"Berth,Length,Vessel"
    refused(w.service.files().get_media(fileId=document["id"]), 403, "fileNotDownloadable")
    refused(w.service.files().export(fileId=w.big, mimeType="text/plain"), 403, "fileNotExportable")
    refused(w.service.files().export(fileId=sheet["id"], mimeType="image/png"), 400, "badRequest")


@check
def a_copy_has_the_contents_and_its_own_id(w):
    copy = w.service.files().copy(fileId=w.big, body={"name": "copy.bin"}, fields="id,name,md5Checksum,parents").execute()
    assert copy["id"] != w.big and copy["name"] == "copy.bin" and copy["parents"] == [w.folder]
    assert copy["md5Checksum"] == hashlib.md5(w.big_content).hexdigest()
    refused(w.service.files().copy(fileId=w.folder, body={}), 403, "cannotCopyFile")


@check
def a_file_moves_by_adding_and_removing_parents(w):
    target = w.service.files().create(body={"name": "Target", "mimeType": FOLDER, "parents": [w.folder]}).execute()["id"]
    file = w.upload("mover.txt", b"x")["id"]
    refused(w.service.files().update(fileId=file, addParents=target), 403, "cannotAddParent")
    moved = w.service.files().update(fileId=file, addParents=target, removeParents=w.folder, fields="parents").execute()
    assert moved["parents"] == [target]
    refused(w.service.files().update(fileId=target, addParents=target, removeParents=w.folder), 400, "badRequest")
    refused(w.service.files().update(fileId=file, body={"parents": [w.folder]}), 403, "fieldNotWritable")


@check
def metadata_and_media_are_updated(w):
    file = w.upload("draft.txt", b"one")["id"]
    renamed = w.service.files().update(
        fileId=file, body={"name": "final.txt", "properties": {"stage": "done"}}, fields="name,properties,version"
    ).execute()
    assert renamed["name"] == "final.txt" and renamed["properties"] == {"stage": "done"}
    found = w.service.files().list(q="properties has { key='stage' and value='done' }").execute()["files"]
    assert [f["id"] for f in found] == [file]
    media = MediaIoBaseUpload(io.BytesIO(b"two"), mimetype="text/plain")
    w.service.files().update(fileId=file, media_body=media).execute()
    assert w.download(file)[0] == b"two"
    media = MediaIoBaseUpload(io.BytesIO(b"three"), mimetype="text/plain", resumable=True)
    w.service.files().update(fileId=file, body={"description": "third"}, media_body=media).execute()
    assert w.download(file)[0] == b"three"
    w.revised = file


@check
def revisions_keep_earlier_contents(w):
    listed = w.service.revisions().list(fileId=w.revised, fields="revisions(id,size,md5Checksum)").execute()["revisions"]
    assert [revision["size"] for revision in listed] == ["3", "3", "5"]
    first = w.service.revisions().get_media(fileId=w.revised, revisionId=listed[0]["id"]).execute()
    assert first == b"one"
    w.service.revisions().delete(fileId=w.revised, revisionId=listed[0]["id"]).execute()
    assert len(w.service.revisions().list(fileId=w.revised).execute()["revisions"]) == 2
    refused(w.service.revisions().get(fileId=w.revised, revisionId="nonsense"), 404, "notFound")


@check
def permissions_are_created_listed_changed_and_taken_away(w):
    permissions = w.service.permissions()
    body = {"type": "user", "role": "reader", "emailAddress": "bram.ostler@example.com"}
    made = permissions.create(fileId=w.big, body=body, sendNotificationEmail=False, fields="id,role,type,emailAddress").execute()
    assert made["role"] == "reader" and made["emailAddress"] == body["emailAddress"]
    listed = permissions.list(fileId=w.big).execute()["permissions"]
    assert sorted(permission["role"] for permission in listed) == ["owner", "reader"]
    assert permissions.update(fileId=w.big, permissionId=made["id"], body={"role": "writer"}).execute()["role"] == "writer"
    assert w.service.files().get(fileId=w.big, fields="shared").execute() == {"shared": True}
    permissions.delete(fileId=w.big, permissionId=made["id"]).execute()
    refused(permissions.get(fileId=w.big, permissionId=made["id"]), 404, "notFound")
    link = permissions.create(fileId=w.big, body={"type": "anyone", "role": "reader"}).execute()
    assert link["id"] == "anyoneWithLink"


@check
def comments_and_replies_are_a_conversation(w):
    comments, replies = w.service.comments(), w.service.replies()
    comment = comments.create(fileId=w.big, body={"content": "Which <crane>?"}, fields="id,content,htmlContent").execute()
    assert comment["htmlContent"] == "Which &lt;crane&gt;?"
    reply = replies.create(fileId=w.big, commentId=comment["id"], body={"content": "The new one", "action": "resolve"}, fields="id,action").execute()
    assert reply["action"] == "resolve"
    seen = comments.get(fileId=w.big, commentId=comment["id"], fields="resolved,replies(id,content)").execute()
    assert seen["resolved"] is True and seen["replies"][0]["content"] == "The new one"
    comments.update(fileId=w.big, commentId=comment["id"], body={"content": "Which?"}, fields="content").execute()
    replies.delete(fileId=w.big, commentId=comment["id"], replyId=reply["id"]).execute()
    comments.delete(fileId=w.big, commentId=comment["id"]).execute()
    assert comments.list(fileId=w.big, fields="comments").execute()["comments"] == []
    refused(comments.list(fileId=w.big), 400, "required")


@check
def changes_tell_what_happened_since_a_token(w):
    start = w.service.changes().getStartPageToken().execute()["startPageToken"]
    kept, gone = w.upload("kept.txt", b"x")["id"], w.upload("gone.txt", b"x")["id"]
    w.service.files().delete(fileId=gone).execute()
    answer = w.service.changes().list(pageToken=start, fields="newStartPageToken,changes(fileId,removed,file/name)").execute()
    told = {change["fileId"]: change for change in answer["changes"]}
    assert told[kept]["file"]["name"] == "kept.txt" and told[gone]["removed"] is True
    again = w.service.changes().list(pageToken=answer["newStartPageToken"]).execute()
    assert again["changes"] == []


@check
def ids_are_generated_and_used_once(w):
    made = w.service.files().generateIds(count=2).execute()["ids"]
    body = {"id": made[0], "name": "by id", "parents": [w.folder]}
    assert w.service.files().create(body=body).execute()["id"] == made[0]
    refused(w.service.files().create(body=body), 409, "fileIdInUse")


@check
def the_trash_takes_a_folder_with_all_in_it(w):
    folder = w.service.files().create(body={"name": "Old", "mimeType": FOLDER, "parents": [w.folder]}).execute()["id"]
    file = w.upload("old.txt", b"x", parent=folder)["id"]
    w.service.files().update(fileId=folder, body={"trashed": True}).execute()
    seen = w.service.files().get(fileId=file, fields="trashed,explicitlyTrashed").execute()
    assert seen == {"trashed": True, "explicitlyTrashed": False}
    w.service.files().emptyTrash().execute()
    refused(w.service.files().get(fileId=file), 404, "notFound")


@check
def shared_drives_are_listed_and_there_are_none(w):
    assert w.service.drives().list().execute()["drives"] == []


@check
def refusals_have_googles_statuses_and_reasons(w):
    files = w.service.files()
    details = refused(files.get(fileId="nonsense"), 404, "notFound")
    assert details["message"] == "File not found: nonsense."
    refused(files.list(q="title = 'x'"), 400, "invalid")
    refused(files.list(pageToken="nonsense"), 400, "invalid")
    refused(files.list(orderBy="colour"), 400, "invalid")
    refused(files.list(fields="files(colour)"), 400, "invalidParameter")
    refused(files.list(corpora="drive", driveId="x", includeItemsFromAllDrives=True, supportsAllDrives=True), 404, "notFound")
    refused(files.create(body={"name": "x", "parents": ["nonsense"]}), 404, "notFound")
    refused(files.create(body={"name": "x", "md5Checksum": "0"}), 403, "fieldNotWritable")


@check
def a_file_deleted_is_gone_and_a_second_delete_is_404(w):
    file = w.upload("short-lived", b"x")["id"]
    assert w.service.files().delete(fileId=file).execute() == ""
    refused(w.service.files().delete(fileId=file), 404, "notFound")


@check
def an_expired_token_is_refreshed_by_the_client_itself(w):
    requests.post(w.base + "/sandbox/expire", timeout=10).raise_for_status()
    old = w.credentials.token
    w.service.files().get(fileId=w.big).execute()
    assert w.credentials.token != old


@check
def a_revoked_grant_cannot_be_refreshed(w):
    requests.post(w.base + "/sandbox/revoke", timeout=10).raise_for_status()
    try:
        w.service.files().get(fileId=w.big).execute()
    except google.auth.exceptions.RefreshError as error:
        assert "invalid_grant" in str(error), error
        return
    raise AssertionError("the revoked grant still works")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--client-id", default="pierhead-sandbox.apps.googleusercontent.com")
    parser.add_argument("--client-secret", default="GOCSPX-pierhead-sandbox")
    carried = os.path.join(os.path.dirname(googleapiclient.discovery.__file__), "discovery_cache/documents/drive.v3.json")
    parser.add_argument("--discovery", default=carried)
    arguments = parser.parse_args()

    world = World(arguments.base_url.rstrip("/"), arguments.client_id, arguments.client_secret, arguments.discovery)
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        world.scratch = scratch
        for function in CHECKS:
            rule = function.__name__.replace("_", " ")
            try:
                function(world)
                print(f"ok      {rule}", flush=True)
            except Exception:  # each rule is reported; the exit status tells the rest
                failed += 1
                print(f"FAILED  {rule}", flush=True)
                traceback.print_exc()
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} rules held")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

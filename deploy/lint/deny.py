#!/usr/bin/env python3
"""Applies deny.toml to the dependency tree: licences, bans, sources, as cargo-deny does.

    cargo metadata --format-version 1 --locked --all-features | python3 deploy/lint/deny.py deny.toml

Used where cargo-deny is not installed. Every finding is printed; the exit code is 1 when there is one.
"""

import json
import re
import sys
import tomllib

CRATES_INDEX = re.compile(r"^(registry|sparse)\+https://[^ ]*$")


def licences_allow(expression, allowed, used):
    """Whether one way of reading an SPDX expression needs only allowed licences."""
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression)
    position = 0

    def peek():
        return tokens[position].upper() if position < len(tokens) else ""

    def take():
        nonlocal position
        position += 1
        return tokens[position - 1]

    def either():
        result = both()
        while peek() in ("OR", "/"):
            take()
            other = both()
            result = result or other
        return result

    def both():
        result = one()
        while peek() == "AND":
            take()
            other = one()
            result = result and other
        return result

    def one():
        if peek() == "(":
            take()
            result = either()
            take()
            return result
        name = take()
        if peek() == "WITH":
            take()
            name = f"{name} WITH {take()}"
        if name in allowed:
            used.add(name)
        return name in allowed

    return either()


def findings(rules, metadata):
    packages = {package["id"]: package for package in metadata["packages"]}
    members = set(metadata["workspace_members"])
    licences, bans = rules["licenses"], rules["bans"]
    exceptions = {entry["crate"]: set(entry["allow"]) for entry in licences.get("exceptions", [])}
    allowed, used, registries = set(licences["allow"]), set(), set()

    for package in packages.values():
        name = f"{package['name']} {package['version']}"
        if package["source"] is not None:
            registries.add(package["source"])
            if not CRATES_INDEX.match(package["source"]):
                yield f"sources: {name} comes from {package['source']}, not from the registry"
        elif package["id"] not in members:
            yield f"sources: {name} is a path dependency outside the workspace"
        expression = package["license"]
        if not expression:
            yield f"licenses: {name} names no licence"
        elif not licences_allow(expression, allowed | exceptions.get(package["name"], set()), used):
            yield f"licenses: {name} is {expression}, which is not in the list of allowed licences"
        if package["id"] in members and bans.get("wildcards") == "deny":
            for dependency in package["dependencies"]:
                if dependency["req"] == "*" and not dependency.get("path"):
                    yield f"bans: {name} depends on any version of {dependency['name']}"

    if len(registries) > 1:
        yield f"sources: more than one registry: {', '.join(sorted(registries))}"
    if licences.get("unused-allowed-license") == "deny":
        for name in sorted(allowed - used):
            yield f"licenses: {name} is allowed but no crate needs it: take it out of deny.toml"

    banned = {entry["crate"]: entry for entry in bans.get("deny", [])}
    for entry in banned.values():
        if not entry.get("reason"):
            yield f"bans: the ban of {entry['crate']} has no reason"
    for node in metadata["resolve"]["nodes"]:
        parent = packages[node["id"]]["name"]
        for dependency in node["dependencies"]:
            entry = banned.get(packages[dependency]["name"])
            if entry and parent not in entry.get("wrappers", []):
                yield f"bans: {parent} uses {entry['crate']}: {entry['reason']}"


def main():
    with open(sys.argv[1], "rb") as file:
        rules = tomllib.load(file)
    found = list(findings(rules, json.load(sys.stdin)))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

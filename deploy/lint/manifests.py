#!/usr/bin/env python3
"""Checks what the schemas cannot see: that the parts of compose.yaml and of k8s/ fit together.

    manifests.py compose deploy/compose.yaml
    manifests.py kubernetes k8s

Needs PyYAML. Every finding is printed; the exit code is 1 when there is one.
"""

import sys
from pathlib import Path

import yaml

KUSTOMIZATION_KEYS = {
    "apiVersion", "kind", "namespace", "labels", "resources", "images", "configMapGenerator", "secretGenerator",
    "components", "patches", "replicas", "generatorOptions",
}
# Two ways to run, one content: kustomize reads no file outside its folder.
COPIES = [("deploy/nats.conf", "k8s/nats/nats.conf"), ("deploy/otel-collector.yaml", "k8s/otel-collector/collector.yaml")]


def compose(path):
    document = yaml.safe_load(path.read_text())
    services = document["services"]
    volumes, networks = set(document.get("volumes", {})), set(document.get("networks", {}))
    for name, service in services.items():
        build = service.get("build")
        if build:
            context = path.parent / build["context"]
            if not (context / build["dockerfile"]).is_file():
                yield f"{name}: builds from {build['dockerfile']}, which does not exist"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                if not (path.parent / source).exists():
                    yield f"{name}: mounts {source}, which does not exist"
            elif source not in volumes:
                yield f"{name}: mounts the volume {source}, which is not declared"
        for network in service.get("networks", []):
            if network not in networks:
                yield f"{name}: joins the network {network}, which is not declared"
        for other, how in service.get("depends_on", {}).items():
            if other not in services:
                yield f"{name}: waits for {other}, which does not exist"
            elif how["condition"] == "service_healthy" and not ("healthcheck" in services[other] or "build" in services[other]):
                yield f"{name}: waits until {other} is healthy, which has no health check"
        image = service.get("image", "")
        if not build and (":" not in image or image.endswith(":latest")):
            yield f"{name}: the image {image} has no pinned tag"
        if "ports" in service and name not in ("gateway", "prometheus"):
            yield f"{name}: publishes a port, but the gateway is the only door"


class Kubernetes:
    def __init__(self, root):
        self.root = root
        self.findings, self.objects, self.files = [], [], set()
        self.load(root)

    def say(self, text):
        self.findings.append(text)

    def load(self, folder):
        file = folder / "kustomization.yaml"
        if not file.is_file():
            self.say(f"{folder}: has no kustomization.yaml")
            return
        self.files.add(file)
        rules = yaml.safe_load(file.read_text())
        for key in sorted(set(rules) - KUSTOMIZATION_KEYS):
            self.say(f"{file}: unknown key {key}")
        for name in rules.get("resources", []):
            path = folder / name
            if path.is_dir():
                self.load(path)
            elif path.is_file():
                self.files.add(path)
                for document in yaml.safe_load_all(path.read_text()):
                    self.objects.append((path, document))
            else:
                self.say(f"{file}: lists {name}, which does not exist")
        for generator in rules.get("configMapGenerator", []):
            keys = {}
            for name in generator["files"]:
                path = folder / name
                self.files.add(path)
                if path.is_file():
                    keys[name] = path.read_text()
                else:
                    self.say(f"{file}: takes {name}, which does not exist")
            self.objects.append((file, {"kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": keys}))

    def of(self, kind):
        return {o["metadata"]["name"]: (path, o) for path, o in self.objects if o["kind"] == kind}

    def check(self):
        for path in sorted(self.root.rglob("*.yaml")):
            if path not in self.files:
                self.say(f"{path}: no kustomization.yaml lists it")
        seen = set()
        for path, o in self.objects:
            key = (o["kind"], o["metadata"]["name"])
            if key in seen:
                self.say(f"{path}: a second {key[0]} {key[1]}")
            seen.add(key)
        workloads = {**self.of("Deployment"), **self.of("StatefulSet")}
        self.pods = {name: o["spec"]["template"] for name, (_, o) in workloads.items()}
        for name, (path, o) in workloads.items():
            self.workload(name, path, o)
        for name, (path, o) in self.of("Service").items():
            self.service(name, path, o)
        for kind in ("PodDisruptionBudget", "NetworkPolicy"):
            for path, o in ((p, o) for p, o in self.objects if o["kind"] == kind):
                self.selectors(path, o)
        budgets = [o["spec"]["selector"]["matchLabels"] for _, o in self.of("PodDisruptionBudget").values()]
        policies = [o["spec"]["podSelector"].get("matchLabels") for _, o in self.of("NetworkPolicy").values()]
        for name, (path, o) in workloads.items():
            if not any(self.matches(budget, name) for budget in budgets):
                self.say(f"{path}: {name} has no PodDisruptionBudget")
            if not any(policy and self.matches(policy, name) for policy in policies):
                self.say(f"{path}: {name} has no network policy of its own")
        return self.findings

    def matches(self, labels, pod):
        have = self.pods[pod]["metadata"]["labels"]
        return all(have.get(key) == value for key, value in labels.items())

    def workload(self, name, path, o):
        pod = o["spec"]["template"]["spec"]
        if not self.matches(o["spec"]["selector"]["matchLabels"], name):
            self.say(f"{path}: the selector of {name} does not match its own pods")
        if pod.get("terminationGracePeriodSeconds", 0) <= 15:
            self.say(f"{path}: {name} needs more than 15 s to end: 5 s without new calls, 10 s to drain")
        if pod.get("automountServiceAccountToken") is not False:
            self.say(f"{path}: {name} gets a token for the Kubernetes API, which it does not need")
        security = pod.get("securityContext", {})
        if security.get("runAsNonRoot") is not True or security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            self.say(f"{path}: {name} does not run as `restricted`: runAsNonRoot, seccompProfile")
        mounts = {v["name"] for v in pod.get("volumes", [])}
        mounts |= {claim["metadata"]["name"] for claim in o["spec"].get("volumeClaimTemplates", [])}
        for volume in pod.get("volumes", []):
            config = volume.get("configMap", {}).get("name")
            if config and config not in self.of("ConfigMap"):
                self.say(f"{path}: {name} mounts the ConfigMap {config}, which does not exist")
        for container in pod["containers"]:
            where = f"{path}: container {container['name']}"
            for probe in ("readinessProbe", "livenessProbe"):
                if probe not in container:
                    self.say(f"{where} has no {probe}")
            names = {port["name"] for port in container["ports"]} | {port["containerPort"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                how = container.get(probe, {})
                port = (how.get("httpGet") or how.get("grpc") or {}).get("port")
                if port is not None and port not in names:
                    self.say(f"{where}: its {probe} asks port {port}, which it does not have")
            resources = container.get("resources", {})
            if not resources.get("requests") or "memory" not in resources.get("limits", {}):
                self.say(f"{where} states no resources")
            context = container.get("securityContext", {})
            if (
                context.get("allowPrivilegeEscalation") is not False
                or context.get("readOnlyRootFilesystem") is not True
                or context.get("capabilities", {}).get("drop") != ["ALL"]
            ):
                self.say(f"{where} does not run as `restricted`")
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in mounts:
                    self.say(f"{where} mounts {mount['name']}, which is no volume")
            for variable in container.get("env", []):
                secret = variable.get("valueFrom", {}).get("secretKeyRef")
                if not secret:
                    continue
                _, known = self.of("Secret").get(secret["name"], (None, {}))
                if secret["key"] not in known.get("stringData", {}):
                    self.say(f"{where}: {variable['name']} is secret {secret['name']}/{secret['key']}, which does not exist")
            image = container["image"]
            if image != "emall" and (":" not in image or image.endswith(":latest")):
                self.say(f"{where}: the image {image} has no pinned tag")

    def service(self, name, path, o):
        selected = [pod for pod in self.pods if self.matches(o["spec"]["selector"], pod)]
        if not selected:
            self.say(f"{path}: the service {name} selects no pod")
        for pod in selected:
            ports = {p["name"] for c in self.pods[pod]["spec"]["containers"] for p in c["ports"]}
            for port in o["spec"]["ports"]:
                if port["targetPort"] not in ports:
                    self.say(f"{path}: the service {name} leads to port {port['targetPort']}, which {pod} does not have")
        if o["spec"].get("type", "ClusterIP") != "ClusterIP" and name != "gateway":
            self.say(f"{path}: {name} is reachable from outside, but the gateway is the only door")

    def selectors(self, path, o):
        spec = o["spec"]
        wanted = [spec.get("selector", spec.get("podSelector", {}))]
        for rule in spec.get("ingress", []) + spec.get("egress", []):
            for peer in rule.get("from", []) + rule.get("to", []):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    wanted.append(peer["podSelector"])
            if o["metadata"]["name"] != "gateway" and "from" not in rule and rule in spec.get("ingress", []):
                self.say(f"{path}: lets everybody in, but the gateway is the only door")
        for selector in wanted:
            labels = selector.get("matchLabels", {})
            if labels and not any(self.matches(labels, pod) for pod in self.pods):
                self.say(f"{path}: {o['kind']} {o['metadata']['name']} selects {labels}, which no pod has")


def kubernetes(root):
    for one, other in COPIES:
        if Path(one).read_text() != Path(other).read_text():
            yield f"{other} differs from {one}: copy it"
    yield from Kubernetes(root).check()


def main():
    check = {"compose": compose, "kubernetes": kubernetes}[sys.argv[1]]
    found = list(check(Path(sys.argv[2])))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""What an account lets a chatbot ask for, and what it caps."""

from __future__ import annotations

import pytest
from chatbot_operator.errors import Stuck
from chatbot_operator.limits import Use, repository
from unit.bodies import account
from unit.small_world import SmallWorld

EVERYONE = {"allowedNamespaces": {"all": True}}


def refused(given, **use):
    with pytest.raises(Stuck) as caught:
        given.permit(Use("team", deployment="gpt-4o", **use))
    return caught.value


def permitted(given, **use):
    given.permit(Use("team", deployment="gpt-4o", **use))


@pytest.mark.parametrize(
    ("image", "segments"),
    [
        ("contoso.azurecr.io/chat/web:1@sha256:ab", ("contoso.azurecr.io", "chat", "web")),
        ("localhost/chat", ("localhost", "chat")),
        ("registry:5000/chat:2", ("registry:5000", "chat")),
        ("team/chat", ("docker.io", "team", "chat")),
        ("chat:1", ("docker.io", "library", "chat")),
        ("contoso.azurecr.io", ("docker.io", "library", "contoso.azurecr.io")),
        ("Mirror/chat", ("Mirror", "chat")),
    ],
)
def test_an_image_is_read_as_a_container_runtime_reads_it(image, segments):
    assert repository(image) == segments


def test_the_operators_own_image_is_always_allowed_and_no_other_without_a_list():
    permitted(account(**EVERYONE))
    fault = refused(account(**EVERYONE), image="contoso.azurecr.io/chat:1")
    assert fault.reason == "ImageNotAllowed"
    assert "only the operator's own image" in fault.message


@pytest.mark.parametrize(
    "image",
    [
        "contoso.azurecr.io/chat",
        "contoso.azurecr.io/chat:2",
        "contoso.azurecr.io/chat/web@sha256:ab",
        "docker.io/team/chat:1",
        "team/chat:1",
    ],
)
def test_an_image_from_a_listed_repository_is_allowed(image):
    listed = ["contoso.azurecr.io/chat", "docker.io/team"]
    permitted(account(**EVERYONE, imageRepositories=listed), image=image)


@pytest.mark.parametrize(
    "image",
    [
        "contoso.azurecr.io/chatter:1",
        "contoso.azurecr.io/other/chat",
        "contoso.azurecr.io//chat",
        "contoso.azurecr.io",
        "contoso.azurecr.io.evil.example/chat",
        "evil.example/contoso.azurecr.io/chat",
        "contoso.azurecr.io:444/chat",
        "contoso.azurecr.io@evil.example/chat",
        "CONTOSO.azurecr.io/chat",
        "Mirror/team/chat",
        "teams/chat",
    ],
)
def test_an_image_that_only_looks_like_a_listed_one_is_refused(image):
    listed = ["contoso.azurecr.io/chat", "docker.io/team"]
    fault = refused(account(**EVERYONE, imageRepositories=listed), image=image)
    assert fault.reason == "ImageNotAllowed"
    assert "contoso.azurecr.io/chat, docker.io/team" in fault.message


def test_a_star_allows_every_image():
    permitted(account(**EVERYONE, imageRepositories=["*"]), image="evil.example/x")


def test_a_load_balancer_is_for_accounts_that_allow_it():
    fault = refused(account(**EVERYONE), service_type="LoadBalancer")
    assert (fault.reason, "only ClusterIP" in fault.message) == ("ServiceTypeNotAllowed", True)
    both = account(**EVERYONE, serviceTypes=["ClusterIP", "LoadBalancer"])
    permitted(both, service_type="LoadBalancer")


def test_everybody_may_chat_only_where_the_account_says_so():
    assert refused(account(**EVERYONE), anonymous=True).reason == "AnonymousNotAllowed"
    permitted(account(**EVERYONE, allowAnonymous=True), anonymous=True)


def test_a_stranger_is_not_told_what_would_be_allowed():
    with pytest.raises(Stuck) as caught:
        account().permit(Use("team", image="x", service_type="LoadBalancer", anonymous=True))
    assert caught.value.reason == "NamespaceNotAllowed"


@pytest.mark.parametrize(("most", "asked", "run"), [(2, 5, 2), (2, 1, 1), (2, 0, 0), (None, 5, 5)])
def test_replicas_are_capped(most, asked, run):
    limits = {} if most is None else {"maxReplicas": most}
    assert account(**limits).limits.cap(asked) == run


def test_a_days_tokens_are_divided_over_the_pods():
    limits = account(dailyTokenBudget=1000).limits
    assert [limits.tokens_of_a_pod(n) for n in (0, 1, 3)] == [1000, 1000, 333]
    assert account().limits.tokens_of_a_pod(3) is None


def environment(deployment):
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value") for entry in container["env"]}


async def test_a_capped_chatbot_says_so_and_runs_as_many_as_it_may():
    small = SmallWorld(replicas=5)
    account_body = small.cluster.objects["azureopenaiaccounts", "", "contoso"]
    account_body["spec"] |= {"maxReplicas": 2, "dailyTokenBudget": 1000}
    await small.settle()
    await small.look()
    assert small.deployment["spec"]["replicas"] == 2
    assert environment(small.deployment)["DAILY_TOKEN_BUDGET"] == "500"
    said = next(c for c in small.chatbot["status"]["conditions"] if c["type"] == "Permitted")
    assert "2 of 5 run" in said["message"]
    assert small.chatbot["status"]["pods"] == "2/2"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"image": "evil.example/x"}, "ImageNotAllowed"),
        ({"service": {"type": "LoadBalancer", "port": 80}}, "ServiceTypeNotAllowed"),
    ],
)
async def test_nothing_is_made_of_what_the_account_does_not_allow(spec, reason):
    small = SmallWorld(**spec)
    await small.look()
    await small.look()
    assert small.condition("Permitted") == ("False", reason)
    assert small.azure.held == {}
    assert small.deployment is None


async def test_naming_the_operators_own_image_is_asking_for_nothing():
    small = SmallWorld(image="chatbot:1")
    await small.settle()
    assert small.condition("Ready")[0] == "True"

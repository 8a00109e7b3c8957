"""An operator behind a company's proxy, and what it hands to chatbots."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from chatbot_operator.ports import CONFIG_MAPS, DEPLOYMENTS
from cluster_world import account, chatbot
from connect_proxy import connect_proxy


async def test_an_operator_behind_a_proxy_makes_chatbots_that_know_it(
    *, start, hand, azure, authority, emulator, namespace
):
    async with (
        connect_proxy() as proxy,
        start(
            SSL_CERT_FILE="",
            EXTRA_CA_FILE=str(authority.certificate),
            HTTPS_PROXY=proxy.url,
            CHATBOT_HTTPS_PROXY="http://proxy.corp:3128",
            CHATBOT_NO_PROXY="10.0.0.0/8",
            CHATBOT_CA_FILE=str(authority.certificate),
        ),
    ):
        await hand.create(account(namespace))
        await hand.create(chatbot(namespace, account=namespace))
        async with asyncio.timeout(60):
            while (deployment := await hand.get(DEPLOYMENTS, namespace)) is None:
                await asyncio.sleep(0.2)
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        given = {each["name"]: each.get("value") for each in container["env"]}
        assert given["HTTPS_PROXY"] == "http://proxy.corp:3128"
        assert given["NO_PROXY"] == "10.0.0.0/8"
        file = given["EXTRA_CA_FILE"].rpartition("/")[2]
        data = (await hand.get(CONFIG_MAPS, namespace))["data"]
        assert data[file] == authority.certificate.read_text()
        assert urlsplit(emulator.url).netloc in proxy.asked
        assert len(await azure.identities(namespace)) == 1

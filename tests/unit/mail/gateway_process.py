"""A gateway in a process of its own, for tests that kill it. Arguments: database URL, upstream
port, port."""

import sys
import time

from kette.adapters.mail.gateway import MailGateway
from kette.adapters.mail.sql_store import SqlMailStore
from kette.adapters.mail.table import define_mails
from kette.adapters.mail.upstream import UpstreamSettings
from sqlalchemy import MetaData, create_engine

url, upstream_port, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
engine = create_engine(url)
mails = define_mails(MetaData())
mails.metadata.create_all(engine)
gateway = MailGateway(
    SqlMailStore(engine, mails, name=f"gateway:{port}"),
    UpstreamSettings(host="127.0.0.1", port=upstream_port, timeout_s=5),
    is_valid_key=lambda key: key == "kette_test_key",
    port=port,
    backoff_s=(0.2,),
)
gateway.start()
sys.stderr.write("ready\n")
sys.stderr.flush()
while True:
    time.sleep(60)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's stack, left running: prints what is where and how to send a payment; Ctrl-C stops it.

usage: up.py
"""
import signal
import subprocess
import sys
import time

import scenario as story
import stack as stacks
import ui
from api import ApiError
from chain import ChainError

TICK_S = 0.5
HOME = stacks.ROOT / '.demo-up'


def describe(stack, api):
    base = f'http://127.0.0.1:{stack.port}'
    child, affiliate = story.wallet('up', 'child', 0), story.wallet('up', 'affiliate', 0)
    for name, value in (('API', base), ('API key', api.key), ('chain', stack.rpc_url),
                        ('settings', stack.settings_path), ('log', stack.log),
                        ('webhooks', stack.receiver.kept)):
        ui.say(f'{name:9} {value}')
    for name, value in sorted(stack.contracts.items()):
        ui.say(f'{name:27} {value}')
    header = '-H "Authorization: Bearer $KEY"'
    ui.say(f"""
The operator's console, in this directory:
  SLUICE_SETTINGS={stack.settings_path.relative_to(stacks.ROOT)} build/sluice status
Register a customer whom an affiliate referred, take a payment, look at what the affiliate has:
  KEY={api.key}
  curl -s {header} {base}/v1/users \\
    -d '{{"wallet":"{child}","referrer":"{affiliate}","program":"standard","mint":true}}'
  curl -s {header} {base}/v1/payments \\
    -d '{{"id":"order-1","wallet":"{child}","amount":"12.50"}}'
  curl -s {header} {base}/v1/affiliates/{affiliate}
Ctrl-C stops everything.""")


def wait_for_end(stack):
    """Until Ctrl-C, or until a process ends by itself."""
    while True:
        for name, process in (('anvil', stack.anvil), ('sluice up', stack.sluice)):
            if process.poll() is not None:
                raise stacks.StackError(f'{name} ended with status {process.returncode}')
        time.sleep(TICK_S)


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack = None
    try:
        stack, api = stacks.bring_up(HOME, story.PROGRAMS, ui.say)
        describe(stack, api)
        wait_for_end(stack)
    except KeyboardInterrupt:
        ui.say('\nstopping')
        return 1 if stack and stack.stop_sluice() != 0 else 0
    except stacks.StackBusy as error:
        ui.say(f'up: {error}')
        return 1
    except (stacks.StackError, ApiError, ChainError, OSError,
            subprocess.SubprocessError) as error:
        ui.say(f'up: FAILED: {error}\n{stacks.tail(HOME / "sluice.log")}')
        return 1
    finally:
        if stack:
            stack.close()


if __name__ == '__main__':
    sys.exit(main())

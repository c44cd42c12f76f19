using System.Net;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Net;
using Breakwater.Storm.Client;

namespace Breakwater.Storm.Vms;

/// <summary>One VM that boots: mount on one connection, then up to 16 at once. Loop thread only.</summary>
internal sealed class VirtualMachine
{
    private readonly StormOptions _options;
    private readonly RequestTable _requests;
    private readonly EventLoop _loop;
    private readonly StormTally _tally;
    private readonly Action _onEnded;
    private readonly IPAddress? _address;
    private readonly Random _random;
    private readonly Exchange[] _exchanges;
    private readonly long _stormStartUs;
    private long _startUs;
    private int _next, _done;
    private int _proxy, _host;
    private bool _wouldHaveLeft;

    public VirtualMachine(int number, StormOptions options, RequestTable requests, EventLoop loop, StormTally tally, long stormStartUs,
        Action onEnded)
    {
        (_options, _requests, _loop, _tally, _stormStartUs, _onEnded) = (options, requests, loop, tally, stormStartUs, onEnded);
        _address = options.OwnAddresses ? AddressOf(options.FirstVm + number, options.IsLoopback) : null;
        _random = new Random(options.Seed + number);
        _exchanges = new Exchange[options.ConnectionsPerVm];
        for (int i = 0; i < _exchanges.Length; i++)
        {
            _exchanges[i] = new Exchange(this);
        }
    }

    /// <summary>Finished, given up or stopped.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>127.1.0.1 and on, or off loopback 10.101.0.1 and on: 250 VMs a subnet.</summary>
    public static IPAddress AddressOf(int number, bool isLoopback = true) => new(
        [(byte)(isLoopback ? 127 : 10), (byte)((isLoopback ? 1 : 101) + (number / 62_500)), (byte)(number / 250 % 250),
        (byte)(1 + (number % 250))]);

    /// <summary>The VM is switched on.</summary>
    public void Start()
    {
        _startUs = EventLoop.ClockUs();
        Fill();
    }

    /// <summary>Looks for transfers that are too slow; once a second.</summary>
    public void Watch(long nowUs)
    {
        foreach (Exchange exchange in _exchanges)
        {
            exchange.Watch(nowUs);
        }
    }

    /// <summary>Closes all connections; the VM counts neither as finished nor as failed.</summary>
    public void End()
    {
        if (HasEnded)
        {
            return;
        }

        HasEnded = true;
        foreach (Exchange exchange in _exchanges)
        {
            exchange.Close();
        }

        _onEnded();
    }

    /// <summary>Hands the next requests to idle connections: one of them during the mount.</summary>
    private void Fill()
    {
        foreach (Exchange exchange in _exchanges)
        {
            bool mounting = _done < _options.Trace.MountLength;
            if (_next >= _options.Trace.Paths.Count || (mounting && _next > _done))
            {
                return;
            }

            if (exchange.IsIdle)
            {
                exchange.Begin(_next++);
            }
        }
    }

    private void Answered(ClientConnection connection)
    {
        long now = EventLoop.ClockUs();
        _tally.Answered(now - _stormStartUs, connection.FirstByteUs, connection.BodyBytes);
        if (++_done == _options.Trace.Paths.Count)
        {
            _tally.Booted(now - _stormStartUs, now - _startUs);
            End();
        }
    }

    private void GiveUp()
    {
        _tally.GaveUp++;
        End();
    }

    /// <summary>A connection and the request that it carries, with that request's history.</summary>
    private sealed class Exchange(VirtualMachine vm) : IExchangeOwner
    {
        private ClientConnection? _connection;
        private int _index = -1;
        private int _proxy;
        private int _host, _hostsTried, _retries;
        private bool _noCacheTried, _noCache;

        public bool IsIdle => _index < 0;

        public void Begin(int index)
        {
            _index = index;
            _hostsTried = _retries = 0;
            _noCacheTried = _noCache = false;
            Send();
        }

        public void Watch(long nowUs)
        {
            if (_connection is not { IsBusy: true } connection || !connection.Speed.IsTooSlow(nowUs))
            {
                return;
            }

            if (!vm._options.WaitsForever)
            {
                connection.Abandon(Failure.TooSlow);
            }
            else if (!vm._wouldHaveLeft)
            {
                vm._wouldHaveLeft = true;
                vm._tally.Exiles++;
            }
        }

        public void Close() => _connection?.Close();

        public void OnEnded(ClientConnection connection, Failure failure)
        {
            if (vm.HasEnded)
            {
                return;
            }

            if (failure == Failure.None)
            {
                _index = -1;
                vm.Answered(connection);
                if (!vm.HasEnded)
                {
                    vm.Fill();
                }

                return;
            }

            vm._tally.Failures[failure] = vm._tally.Failures.GetValueOrDefault(failure) + 1;
            React(failure);
        }

        private void React(Failure failure)
        {
            var history = new RequestHistory(
                _retries,
                _noCacheTried,
                vm._options.Hosts.Count - 1 - _hostsTried,
                vm._options.Proxies.Count - 1 - _proxy);
            Step step = ClientRules.After(failure, vm._options.Profile, history);
            _noCache = step == Step.RetryNoCache;
            switch (step)
            {
                case Step.GiveUp:
                    vm.GiveUp();
                    return;
                case Step.NextHost:
                    _hostsTried++;
                    vm._host = (_host + 1) % vm._options.Hosts.Count;
                    break;
                case Step.NextProxy when vm._proxy == _proxy:
                    vm._proxy++;
                    vm._tally.Exiles += vm._options.Proxies[vm._proxy] is null ? 1 : 0;
                    break;
                case Step.RetryNoCache:
                    _noCacheTried = true;
                    break;
                case Step.Retry:
                    _retries++;
                    break;
            }

            vm._tally.Retries++;
            TimeSpan pause = ClientRules.Pause(failure, step, vm._random.NextDouble());
            vm._loop.After((long)pause.TotalMicroseconds, () =>
            {
                if (!vm.HasEnded)
                {
                    Send();
                }
            });
        }

        private void Send()
        {
            if (_connection is null || _connection.IsClosed || _proxy != vm._proxy
                || (_host != vm._host && vm._options.Proxies[vm._proxy] is null))
            {
                _connection?.Close();
                (_proxy, _host) = (vm._proxy, vm._host);
                IPEndPoint target = vm._options.Proxies[_proxy] ?? vm._options.Hosts[_host];
                _connection = new ClientConnection(vm._loop, this, target, vm._address, vm._options.Mode);
            }

            _host = vm._host;
            bool isAbsolute = vm._options.IsForward && vm._options.Proxies[_proxy] is not null;
            _connection.Start(vm._requests.Get(_index, _host, isAbsolute, _noCache));
        }
    }
}

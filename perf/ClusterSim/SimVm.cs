namespace Breakwater.ClusterSim;

/// <summary>A machine that boots: it reads one object after the other by the first proxy of its list that works.</summary>
internal sealed class SimVm
{
    private readonly Site _site;
    private readonly int _number;
    private readonly int _image;
    private readonly SimNode[] _proxies;
    private readonly long _began;
    private readonly Action<SimVm> _ended;
    private int _proxy;
    private int _step;
    private int _request;
    private long _now;
    private long _askedAt = -1;

    public SimVm(Site site, int number, Action<SimVm> ended)
    {
        (_site, _number, _ended) = (site, number, ended);
        _image = site.Work.ImageOf(number);
        _proxies = site.OrderFor(Workload.AddressOf(number));
        _began = _now = site.Clock.Now;
    }

    /// <summary>Did it boot? Else no proxy was left.</summary>
    public bool HasBooted { get; private set; }

    /// <summary>How long it took.</summary>
    public double Seconds => (_now - _began) / 1e6;

    /// <summary>The longest that it waited for one object.</summary>
    public long LongestWait { get; private set; }

    /// <summary>
    /// Reads on. What its proxy has is read without an event: nothing is ever taken out of a store, so it only must not run past a moment
    /// at which something is done to the site.
    /// </summary>
    public void Run()
    {
        while (_step < _site.Work.Steps)
        {
            SimNode proxy = _proxies[_proxy];
            if (_now > _site.NextFault)
            {
                WakeAt(_site.NextFault);
                return;
            }

            if (!proxy.IsUp)
            {
                if (!TryNext())
                {
                    return;
                }

                _now += 2 * Times.Hop;
                continue;
            }

            _askedAt = _askedAt < 0 ? _now : _askedAt;
            if (proxy.IsHung)
            {
                // It waits in vain; the answer of one that goes on in time is lost on nobody else.
                if (TryNext())
                {
                    WakeAt(_now += Times.VmTimeout);
                }

                return;
            }

            int item = _site.Work.Object(_number, _image, _step);
            _site.Asked[item] = true;
            if (proxy.Has(item))
            {
                Read(proxy, item);
                continue;
            }

            if (_now > _site.Clock.Now)
            {
                WakeAt(_now);
                return;
            }

            Wait(proxy, item);
            return;
        }

        HasBooted = true;
        _ended(this);
    }

    private void Wait(SimNode proxy, int item)
    {
        int request = ++_request;
        proxy.Want(item, isUpstream: false, isHere =>
        {
            if (request != _request)
            {
                return;
            }

            _request++;
            _now = _site.Clock.Now;
            if (isHere)
            {
                Read(proxy, item);
                _site.Clock.After(0, Run);
            }
            else if (TryNext())
            {
                _site.Clock.After(2 * Times.Hop, Run);
            }
        });
        _site.Clock.After(Times.VmTimeout, () =>
        {
            if (request == _request)
            {
                _request++;
                _now = _site.Clock.Now;
                if (TryNext())
                {
                    Run();
                }
            }
        });
    }

    private void Read(SimNode proxy, int item)
    {
        int size = _site.Work.Sizes[item];
        proxy.ToVms.Add(_now, size);
        LongestWait = Math.Max(LongestWait, _now - _askedAt);
        _askedAt = -1;
        _now += Times.Think + (size / Times.VmRate);
        _step++;
    }

    private void WakeAt(long time) => _site.Clock.After(time - _site.Clock.Now, Run);

    /// <summary>The next proxy of the list, from its beginning again after the last: one may be back. False: none works.</summary>
    private bool TryNext()
    {
        for (int i = 1; i <= _proxies.Length; i++)
        {
            int next = (_proxy + i) % _proxies.Length;
            if (_proxies[next].IsUp)
            {
                _proxy = next;
                return true;
            }
        }

        _ended(this);
        return false;
    }
}

using System.Diagnostics;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability.Squid;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>
/// The scalars, medians and shares of hits of the squid MIB (<c>enterprises.3495.1</c>) that mean something here, read when somebody asks.
/// ADR 90 has the list with what each counts. Thread-safe.
/// </summary>
internal sealed class SquidMib
{
    private const string Root = "1.3.6.1.4.1.3495.1.";
    private const string Performance = "3.1.";
    private const string Totals = "3.2.1.";

    /// <summary>Rows of the table of medians; shares of hits are columns of it.</summary>
    private const string Medians = "3.2.2.1.";
    private static readonly int[] s_minutes = [1, 5, 60];

    /// <summary>Columns of medians, in milliseconds.</summary>
    private static readonly (int Column, ServiceKind? Kind)[] s_medians =
        [(2, null), (3, ServiceKind.Miss), (4, ServiceKind.NotModified), (5, ServiceKind.Hit), (11, ServiceKind.NearHit)];

    private readonly Entry[] _entries;
    private readonly RequestRecorder _recorder;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly CpuShare _cpu;

    public SquidMib(RequestRecorder recorder, ProxyCounters counters, Func<StoreStatistics> store, ProxyOptions proxy, SquidHistory history,
        Func<int> clients, TimeProvider time)
    {
        _recorder = recorder;
        _time = time;
        _startedAt = time.GetTimestamp();
        _cpu = new CpuShare(time);
        _entries =
        [
            new("1.1", () => SnmpValue.Integer(Environment.WorkingSet / 1024)),
            new("1.2", () => SnmpValue.Integer(store().UsedBytes / 1024)),
            new("1.3", () => SnmpValue.Ticks(_time.GetElapsedTime(_startedAt))),
            new("2.2", () => SnmpValue.Text("breakwater")),
            new("2.3", () => SnmpValue.Text(Telemetry.Version)),
            new("2.5.2", () => SnmpValue.Integer(store().QuotaBytes >> 20)),
            new("2.6", () => SnmpValue.Text(proxy.Name)),
            new(Performance + "3", () => SnmpValue.Integer(Environment.WorkingSet / 1024)),
            new(Performance + "4", () => SnmpValue.Integer(Environment.CpuUsage.TotalTime.TotalSeconds)),
            new(Performance + "5", () => SnmpValue.Integer(_cpu.Percent())),
            new(Performance + "6", () => SnmpValue.Integer(PeakBytes() / 1024)),
            new(Performance + "7", () => SnmpValue.Gauge(store().Objects)),
            new(Performance + "12", () => SnmpValue.Gauge(OpenFiles())),
            new(Performance + "13", () => SnmpValue.Gauge(DescriptorBudget.Limit() ?? 0)),
            new(Totals + "1", () => SnmpValue.Counter(_recorder.TotalOf(static _ => true).Requests)),
            new(Totals + "2", () => SnmpValue.Counter(_recorder.TotalOf(static r => r.IsHit).Requests)),
            new(Totals + "3", () => SnmpValue.Counter(_recorder.TotalOf(RequestResult.Failed).Requests)),
            new(Totals + "5", () => SnmpValue.Counter(_recorder.TotalOf(static _ => true).Bytes / 1024)),
            new(Totals + "10", () => SnmpValue.Counter(counters.UpstreamRequestsTotal)),
            new(Totals + "11", () => SnmpValue.Counter(counters.UpstreamFailuresTotal)),
            new(Totals + "12", () => SnmpValue.Counter(counters.UpstreamBytesTotal / 1024)),
            new(Totals + "14", () => SnmpValue.Gauge(store().UsedBytes / 1024)),
            new(Totals + "15", () => SnmpValue.Gauge(clients())),
            .. s_minutes.SelectMany(m => Shares(history, m)),
        ];
        Array.Sort(_entries, static (a, b) => a.Instance.CompareTo(b.Instance));
    }

    /// <summary>
    /// The value of a name, with or without the <c>.0</c> of its instance: configurations written for squid leave it out.
    /// </summary>
    public SnmpValue Get(ObjectId id)
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Instance.CompareTo(id) == 0 || entry.Instance.IsInstanceOf(id))
            {
                return entry.Read();
            }
        }

        return SnmpValue.NoSuchObject;
    }

    /// <summary>
    /// The first name behind <paramref name="id"/> with its value; the same name and <see cref="SnmpValue.EndOfMibView"/> when there is
    /// none.
    /// </summary>
    public (ObjectId Id, SnmpValue Value) Next(ObjectId id)
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Instance.CompareTo(id) > 0)
            {
                return (entry.Instance, entry.Read());
            }
        }

        return (id, SnmpValue.EndOfMibView);
    }

    private static Entry[] Shares(SquidHistory history, int minutes) =>
    [
        new(string.Create(CultureInfo.InvariantCulture, $"{Medians}1.{minutes}"), () => SnmpValue.Integer(minutes), ""),
        new(string.Create(CultureInfo.InvariantCulture, $"{Medians}9.{minutes}"),
            () => SnmpValue.Integer(history.HitPercent(minutes).OfRequests), ""),
        new(string.Create(CultureInfo.InvariantCulture, $"{Medians}10.{minutes}"),
            () => SnmpValue.Integer(history.HitPercent(minutes).OfBytes), ""),
        .. s_medians.Select(median => new Entry(string.Create(CultureInfo.InvariantCulture, $"{Medians}{median.Column}.{minutes}"),
            () => SnmpValue.Integer(history.ServiceTime(minutes, median.Kind).TotalMilliseconds), "")),
    ];

    private static long PeakBytes()
    {
        using var own = Process.GetCurrentProcess();
        return own.PeakWorkingSet64;
    }

    private static int OpenFiles() => Directory.Exists("/proc/self/fd") ? Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() : 0;

    private sealed class Entry(string name, Func<SnmpValue> read, string instance = ".0")
    {
        public ObjectId Instance { get; } = ObjectId.TryParse(Root + name + instance, out ObjectId? id)
            ? id
            : throw new ArgumentException(name, nameof(name));

        public SnmpValue Read() => read();
    }

    /// <summary>
    /// Processor time since it was asked before, in percent of one processor; asked again within a second it repeats itself.
    /// </summary>
    private sealed class CpuShare(TimeProvider time)
    {
        private readonly Lock _gate = new();
        private long _at = time.GetTimestamp();                     // guarded by _gate
        private TimeSpan _used = Environment.CpuUsage.TotalTime;    // guarded by _gate
        private double _percent;                                    // guarded by _gate

        public double Percent()
        {
            lock (_gate)
            {
                TimeSpan passed = time.GetElapsedTime(_at);
                if (passed >= TimeSpan.FromSeconds(1))
                {
                    TimeSpan used = Environment.CpuUsage.TotalTime;
                    (_percent, _at, _used) = (100 * (used - _used) / passed, time.GetTimestamp(), used);
                }

                return _percent;
            }
        }
    }
}

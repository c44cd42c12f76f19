using System.Diagnostics;
using System.Globalization;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability.Squid;

/// <summary>
/// Pages of squid's cache manager in squid's words and layout, for tools that were written for it. A line of squid's that has no meaning
/// here is not there. Thread-safe.
/// </summary>
internal sealed class SquidPages(SquidHistory history, Func<StoreStatistics> store, ClientLimits clients, TimeProvider time)
{
    private static readonly (string Title, TimeSpan Span)[] s_spans =
        [("Last 5 minutes", TimeSpan.FromMinutes(5)), ("Last 15 minutes", TimeSpan.FromMinutes(15)), ("Last hour", TimeSpan.FromHours(1))];

    private static readonly (string Name, ServiceKind? Kind)[] s_kinds =
        [("HTTP Requests (All):", null), ("Cache Misses:", ServiceKind.Miss), ("Cache Hits:", ServiceKind.Hit),
        ("Near Hits:", ServiceKind.NearHit), ("Not-Modified Replies:", ServiceKind.NotModified)];

    /// <summary>What can be asked for: name and what it says.</summary>
    public IReadOnlyList<(string Name, string Meaning, Func<string> Write)> All =>
    [
        ("menu", "Cache Manager Menu", Menu),
        ("info", "General Runtime Information", Info),
        ("counters", "Traffic and Resource Counters", () => Counters(history.Now())),
        ("utilization", "Cache Utilization", Utilization),
        ("service_times", "Service Times (Percentiles)", Percentiles),
    ];

    private string Menu() =>
        string.Concat(All.Select(p => string.Create(CultureInfo.InvariantCulture, $" {p.Name,-22}\t{p.Meaning,-32}\tpublic\n")));

    private string Info()
    {
        SquidSample now = history.Now();
        StoreStatistics stored = store();
        TimeSpan up = time.GetElapsedTime(history.StartedAt);
        DateTimeOffset clock = time.GetUtcNow();
        (double requests5, double bytes5) = history.HitPercent(5);
        (double requests60, double bytes60) = history.HitPercent(60);
        (double disk5, double disk60) = (DiskPercent(now, 5), DiskPercent(now, 60));
        double used = SquidHistory.Percent(stored.UsedBytes, stored.QuotaBytes);
        var page = new Page();
        page.Line($"Squid Object Cache: Version {Telemetry.Version}-breakwater");
        page.Line($"Build Info: Breakwater");
        page.Line($"Service Name: squid");
        page.Line($"Start Time:\t{clock - up:r}");
        page.Line($"Current Time:\t{clock:r}");
        page.Line($"Connection information for squid:");
        page.Line($"\tNumber of clients accessing cache:\t{clients.Seen.Count}");
        page.Line($"\tNumber of HTTP requests received:\t{now.Requests}");
        page.Line($"\tRequest failure ratio:\t{SquidHistory.Percent(now.Errors, now.Requests) / 100,5:0.00}");
        page.Line($"\tAverage HTTP requests per minute since start:\t{now.Requests / Math.Max(up.TotalMinutes, 1e-3),5:0.0}");
        page.Line($"Cache information for squid:");
        page.Line($"\tHits as % of all requests:\t5min: {requests5:0.0}%, 60min: {requests60:0.0}%");
        page.Line($"\tHits as % of bytes sent:\t5min: {bytes5:0.0}%, 60min: {bytes60:0.0}%");
        (double memory5, double memory60) = (MemoryPercent(disk5, requests5), MemoryPercent(disk60, requests60));
        page.Line($"\tMemory hits as % of hit requests:\t5min: {memory5:0.0}%, 60min: {memory60:0.0}%");
        page.Line($"\tDisk hits as % of hit requests:\t5min: {disk5:0.0}%, 60min: {disk60:0.0}%");
        page.Line($"\tStorage Swap size:\t{stored.UsedBytes / 1024} KB");
        page.Line($"\tStorage Swap capacity:\t{used,4:0.0}% used, {Math.Max(0, 100 - used),4:0.0}% free");
        page.Line($"\tStorage Mem size:\t{Environment.WorkingSet / 1024} KB");
        page.Line($"\tMean Object Size:\t{stored.UsedBytes / 1024.0 / Math.Max(1, stored.Objects):0.00} KB");
        page.Line($"Median Service Times (seconds)  5 min    60 min:");
        foreach ((string name, ServiceKind? kind) in s_kinds)
        {
            page.Line($"\t{name,-22}{Seconds(5, kind, 0.5)} {Seconds(60, kind, 0.5)}");
        }

        page.Line($"Resource usage for squid:");
        page.Line($"\tUP Time:\t{up.TotalSeconds:0.000} seconds");
        page.Line($"\tCPU Time:\t{now.Cpu.TotalSeconds:0.000} seconds");
        page.Line($"\tCPU Usage:\t{SquidHistory.Percent(now.Cpu.TotalSeconds, up.TotalSeconds):0.00}%");
        page.Line($"\tCPU Usage, 5 minute avg:\t{CpuPercent(now, 5):0.00}%");
        page.Line($"\tCPU Usage, 60 minute avg:\t{CpuPercent(now, 60):0.00}%");
        page.Line($"\tMaximum Resident Size: {PeakBytes() / 1024} KB");
        if (DescriptorBudget.Limit() is { } limit)
        {
            int open = Directory.Exists("/proc/self/fd") ? Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() : 0;
            page.Line($"File descriptor usage for squid:");
            page.Line($"\tMaximum number of file descriptors:   {limit,4}");
            page.Line($"\tNumber of file desc currently in use: {open,4}");
            page.Line($"\tAvailable number of file descriptors: {Math.Max(0, limit - open),4}");
        }

        page.Line($"Internal Data Structures:");
        page.Line($"\t{stored.Objects,6} StoreEntries");
        page.Line($"\t{stored.Objects,6} on-disk objects");
        return page.ToString();
    }

    private string Counters(SquidSample now)
    {
        DateTimeOffset clock = time.GetUtcNow();
        var page = new Page();
        page.Line($"sample_time = {clock.ToUnixTimeMilliseconds() / 1000.0:0.000000} ({clock:r})");
        page.Line($"client_http.requests = {now.Requests}");
        page.Line($"client_http.hits = {now.Hits}");
        page.Line($"client_http.errors = {now.Errors}");
        page.Line($"client_http.kbytes_out = {now.SentBytes / 1024}");
        page.Line($"client_http.hit_kbytes_out = {now.HitBytes / 1024}");
        foreach (string server in (string[])["all", "http"])
        {
            page.Line($"server.{server}.requests = {now.Asked}");
            page.Line($"server.{server}.errors = {now.AskedInVain}");
            page.Line($"server.{server}.kbytes_in = {now.ReceivedBytes / 1024}");
        }

        page.Line($"cpu_time = {now.Cpu.TotalSeconds:0.000000}");
        page.Line($"wall_time = {time.GetElapsedTime(history.StartedAt, now.At).TotalSeconds:0.000000}");
        return page.ToString();
    }

    private string Utilization()
    {
        SquidSample now = history.Now();
        var page = new Page();
        page.Line($"Cache Utilisation:");
        page.Line($"");
        foreach ((string title, TimeSpan span) in s_spans)
        {
            SquidSample then = history.Before(span);
            double seconds = Math.Max(time.GetElapsedTime(then.At, now.At).TotalSeconds, 1e-3);
            DateTimeOffset end = time.GetUtcNow();
            DateTimeOffset start = end.AddSeconds(-seconds);
            page.Line($"{title}:");
            page.Line($"sample_start_time = {start.ToUnixTimeMilliseconds() / 1000.0:0.000000} ({start:r})");
            page.Line($"sample_end_time = {end.ToUnixTimeMilliseconds() / 1000.0:0.000000} ({end:r})");
            page.Line($"client_http.requests = {(now.Requests - then.Requests) / seconds:0.000000}/sec");
            page.Line($"client_http.hits = {(now.Hits - then.Hits) / seconds:0.000000}/sec");
            page.Line($"client_http.errors = {(now.Errors - then.Errors) / seconds:0.000000}/sec");
            page.Line($"client_http.kbytes_out = {(now.SentBytes - then.SentBytes) / 1024 / seconds:0.000000}/sec");
            foreach (string server in (string[])["all", "http"])
            {
                page.Line($"server.{server}.requests = {(now.Asked - then.Asked) / seconds:0.000000}/sec");
                page.Line($"server.{server}.errors = {(now.AskedInVain - then.AskedInVain) / seconds:0.000000}/sec");
                page.Line($"server.{server}.kbytes_in = {(now.ReceivedBytes - then.ReceivedBytes) / 1024 / seconds:0.000000}/sec");
            }

            page.Line($"cpu_time = {(now.Cpu - then.Cpu).TotalSeconds:0.000000} seconds");
            page.Line($"wall_time = {seconds:0.000000} seconds");
            page.Line($"cpu_usage = {SquidHistory.Percent((now.Cpu - then.Cpu).TotalSeconds, seconds):0.000000}%");
            page.Line($"");
        }

        page.Line($"Totals since cache startup:");
        return page + Counters(now);
    }

    private string Percentiles()
    {
        var page = new Page();
        page.Line($"Service Time Percentiles            5 min    60 min:");
        foreach ((string name, ServiceKind? kind) in s_kinds)
        {
            for (int percent = 5; percent < 100; percent += 5)
            {
                page.Line($"\t{name,-21}{percent,3}%  {Seconds(5, kind, percent / 100.0)} {Seconds(60, kind, percent / 100.0)}");
            }
        }

        return page.ToString();
    }

    private string Seconds(int minutes, ServiceKind? kind, double share) =>
        history.ServiceTime(minutes, kind, share).TotalSeconds.ToString("0.00000", CultureInfo.InvariantCulture).PadLeft(8);

    /// <summary>What is no disk hit, where there were hits.</summary>
    private static double MemoryPercent(double disk, double hits) => hits > 0 ? 100 - disk : 0;

    private double DiskPercent(SquidSample now, int minutes)
    {
        SquidSample then = history.Before(TimeSpan.FromMinutes(minutes));
        return SquidHistory.Percent(now.DiskHitBytes - then.DiskHitBytes, now.HitBytes - then.HitBytes);
    }

    private double CpuPercent(SquidSample now, int minutes)
    {
        SquidSample then = history.Before(TimeSpan.FromMinutes(minutes));
        return SquidHistory.Percent((now.Cpu - then.Cpu).TotalSeconds, time.GetElapsedTime(then.At, now.At).TotalSeconds);
    }

    private static long PeakBytes()
    {
        using var own = Process.GetCurrentProcess();
        return own.PeakWorkingSet64;
    }

    /// <summary>Lines as squid writes them, whatever the host's language.</summary>
    private sealed class Page
    {
        private readonly StringBuilder _text = new();

        public void Line(FormattableString line) => _text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        public override string ToString() => _text.ToString();
    }
}

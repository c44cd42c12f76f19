using System.CommandLine;
using System.Net;
using System.Text.Json;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Net;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Storm.Client;
using Breakwater.Storm.Hot;
using Breakwater.Storm.Vms;

namespace Breakwater.Storm;

/// <summary>
/// The load generator's commands: an emulated Stratum 1, a storm of booting VMs, a load of hits. Results are JSON on standard output.
/// </summary>
internal static class Program
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static int Main(string[] args)
    {
        Native.RaiseOpenFileLimit();
        var root = new RootCommand("Breakwater's load generator. Loopback only.") { Upstream(), Boot(), Hot() };
        return root.Parse(args).Invoke();
    }

    private static Command Upstream()
    {
        var port = new Option<int>("--port") { Description = "Loopback port; 0 takes a free one." };
        var address = new Option<string?>("--listen") { Description = "Address in a network namespace of its own; loopback unless given." };
        var sets = new Option<string[]>("--set")
        {
            Description = "Made-up objects: fixed:COUNT:SIZE[:SEED] or boot:COUNT:TOTALBYTES:BIG[:SEED]. May be given again.",
            DefaultValueFactory = _ => [],
        };
        var trees = new Option<string[]>("--tar") { Description = "A repository's tree as a tar file.", DefaultValueFactory = _ => [] };
        var alternatives = new Option<string[]>("--alternative")
        {
            Description = "PATH=NAME=FILE: another body for a path, published by /_control/publish?path=PATH&name=NAME.",
            DefaultValueFactory = _ => [],
        };
        var traceOut = new Option<FileInfo?>("--trace-out") { Description = "Writes the paths of the made-up objects there, one a line." };
        var delay = new Option<double>("--delay-ms") { Description = "From a request to its first byte." };
        var jitter = new Option<double>("--jitter-ms") { Description = "Added to the delay: uniform, by seed." };
        var rate = new Option<long>("--bytes-per-second") { Description = "Of one answer; 0 is as fast as it goes." };
        var faults =
            new Option<string>("--faults")
            {
                Description = "Shares of wrong answers, e.g. flip=0.01,stall=0.002.",
                DefaultValueFactory = _ => ""
            };
        var seed = new Option<int>("--seed") { Description = "Of faults and jitter.", DefaultValueFactory = _ => 1 };
        var command = new Command("upstream", "Serves emulated or recorded repositories with exact counts, until interrupted.")
        {
            port, address, sets, trees, alternatives, traceOut, delay, jitter, rate, faults, seed,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            ServedObject[] made = [.. parsed.GetRequiredValue(sets).SelectMany(ObjectSet.Parse)];
            if (parsed.GetValue(traceOut) is { } file)
            {
                await File.WriteAllLinesAsync(file.FullName, made.Select(o => o.Path), cancellation);
            }

            using var server = new UpstreamServer(
                made.Concat(parsed.GetRequiredValue(trees).SelectMany(RepositoryTree.Read)),
                new UpstreamOptions
                {
                    Delay = TimeSpan.FromMilliseconds(parsed.GetValue(delay)),
                    Jitter = TimeSpan.FromMilliseconds(parsed.GetValue(jitter)),
                    BytesPerSecond = parsed.GetValue(rate),
                    Faults = FaultPlan.Parse(parsed.GetValue(seed), parsed.GetRequiredValue(faults)),
                },
                parsed.GetValue(port),
                parsed.GetValue(address) is { } given ? IPAddress.Parse(given) : null);
            foreach (string[] parts in parsed.GetRequiredValue(alternatives).Select(a => a.Split('=', 3)))
            {
                server.AddAlternative(parts[0], parts[1], await File.ReadAllBytesAsync(parts[2], cancellation));
            }

            Console.WriteLine($"Listening on http://{parsed.GetValue(address) ?? "127.0.0.1"}:{server.Port}");
            try
            {
                await Task.Delay(Timeout.Infinite, cancellation);
            }
            catch (OperationCanceledException)
            {
                Print(server.Counters() with { ConcurrencyTimeline = [] });
            }
        });
        return command;
    }

    private static Command Boot()
    {
        var vms = new Option<int>("--vms") { Description = "How many boot.", DefaultValueFactory = _ => 100 };
        var firstVm = new Option<int>("--first-vm") { Description = "Number of the first." };
        var isRouted = new Option<bool>("--routed") { Description = "VMs have 10.101.0.1 and on, in a namespace that routes them." };
        var trace = new Option<FileInfo>("--trace") { Description = "URL paths of a boot, one a line.", Required = true };
        var kind = new Option<string>("--kind") { Description = "first, reboot or warm-mount.", DefaultValueFactory = _ => "first" };
        var proxies =
            new Option<string[]>("--proxy")
            {
                Description = "ADDRESS:PORT or DIRECT, in the VM's order.",
                DefaultValueFactory = _ => ["DIRECT"]
            };
        var hosts = new Option<string[]>("--host") { Description = "ADDRESS:PORT of a Stratum 1, in the VM's order.", Required = true };
        var reverse = new Option<bool>("--reverse") { Description = "Origin-form requests to the proxy." };
        var connections = new Option<int>("--connections") { Description = "Of one VM, 1 to 16.", DefaultValueFactory = _ => 1 };
        var check = new Option<bool>("--check") { Description = "Read every body and check it against its URL." };
        var stock = new Option<bool>("--stock") { Description = "Stock client (1 retry) instead of Micro-CernVM (none)." };
        var arrival =
            new Option<string>("--arrival")
            {
                Description = "once, poisson:PER_SECOND, ramp:SECONDS, leader:MS.",
                DefaultValueFactory = _ => "once"
            };
        var threads = new Option<int>("--threads") { Description = "Event loops.", DefaultValueFactory = _ => 1 };
        var seconds =
            new Option<double>("--time-limit")
            {
                Description = "Seconds after which the storm is stopped.",
                DefaultValueFactory = _ => 240
            };
        var command = new Command("boot", "A storm: VMs that boot as CernVM-FS clients do.")
        {
            vms, firstVm, isRouted, trace, kind, proxies, hosts, reverse, connections, check, stock, arrival, threads, seconds,
        };
        command.SetAction(parsed =>
        {
            var first = BootTrace.Read(parsed.GetRequiredValue(trace).FullName);
            Print(StormRun.Run(new StormOptions
            {
                Vms = parsed.GetValue(vms),
                FirstVm = parsed.GetValue(firstVm),
                IsLoopback = !parsed.GetValue(isRouted),
                Trace = parsed.GetValue(kind) switch { "reboot" => first.Reboot(), "warm-mount" => first.WarmMount(), _ => first },
                Hosts = [.. parsed.GetRequiredValue(hosts).Select(IPEndPoint.Parse)],
                Proxies = [.. parsed.GetRequiredValue(proxies).Select(p => p == "DIRECT" ? null : IPEndPoint.Parse(p))],
                IsForward = !parsed.GetValue(reverse),
                ConnectionsPerVm = Math.Clamp(parsed.GetValue(connections), 1, 16),
                Mode = parsed.GetValue(check) ? BodyMode.Check : BodyMode.Drop,
                Profile = parsed.GetValue(stock) ? ClientProfile.Stock : ClientProfile.Micro,
                ArrivalCurve = parsed.GetRequiredValue(arrival),
                Threads = parsed.GetValue(threads),
                TimeLimit = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            }) with
            { BytesTimeline = [], FinishedTimeline = [] });
        });
        return command;
    }

    private static Command Hot()
    {
        var trace = new Option<FileInfo>("--trace") { Description = "URL paths, one a line.", Required = true };
        var target = new Option<string>("--target") { Description = "ADDRESS:PORT of the proxy.", Required = true };
        var host = new Option<string?>("--host")
        {
            Description =
            "ADDRESS:PORT of the Stratum 1 that requests name; the target unless given."
        };
        var reverse = new Option<bool>("--reverse") { Description = "Origin-form requests." };
        var connections = new Option<int>("--connections") { Description = "How many at once.", DefaultValueFactory = _ => 64 };
        var seconds =
            new Option<double>("--seconds") { Description = "Measured time, after one second of warm-up.", DefaultValueFactory = _ => 3 };
        var threads = new Option<int>("--threads") { Description = "Event loops.", DefaultValueFactory = _ => 1 };
        var rate = new Option<double>("--rate") { Description = "Open loop: requests a second; 0 is a closed loop." };
        var command =
            new Command("hot", "A load of hits, closed loop or open.") { trace, target, host, reverse, connections, seconds, threads,
            rate };
        command.SetAction(parsed => Print(HotLoad.Run(new HotOptions
        {
            Paths = BootTrace.Read(parsed.GetRequiredValue(trace).FullName).Paths,
            Target = IPEndPoint.Parse(parsed.GetRequiredValue(target)),
            Host = IPEndPoint.Parse(parsed.GetValue(host) ?? parsed.GetRequiredValue(target)),
            IsForward = !parsed.GetValue(reverse),
            Connections = parsed.GetValue(connections),
            RequestsPerSecond = parsed.GetValue(rate),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            Threads = parsed.GetValue(threads),
        })));
        return command;
    }

    private static void Print<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result, s_json));
}

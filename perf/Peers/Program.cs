using System.CommandLine;
using Breakwater.Laboratory.Net;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Peers.Scenarios;

namespace Breakwater.Peers;

/// <summary>The race's commands: everything on loopback, in temporary directories, with processes of its own.</summary>
internal static class Program
{
    private static readonly string[] s_scenarios = ["hot", "idle", "storm", "followers", "slow", "restart", "revision", "minios", "misses"];

    public static int Main(string[] args)
    {
        Native.KeepInheritedFiles();
        Native.RaiseOpenFileLimit();
        var root = new RootCommand("Breakwater against squid, nginx, Varnish, Apache Traffic Server and HAProxy, on this machine.")
        {
            Race(), Quick(), WriteReport(), LimitPeer.Server(),
        };
        return root.Parse(args).Invoke();
    }

    private static Command Race()
    {
        var only = new Option<string[]>("--only")
        {
            Description = "Scenarios, parted by blanks, commas or |: " + string.Join(", ", s_scenarios) + ". All unless given.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => s_scenarios,
        };
        var cases = new Option<string[]>("--case")
        {
            Description = "Cases whose name contains one of these, parted by blanks, commas or |, e.g. 4KB/64 or 1000x403.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var peers = new Option<string[]>("--peers")
        {
            Description = "Who races, parted by blanks, commas or |.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [LimitPeer.PeerName, "breakwater", "nginx", "varnish", "ats", "haproxy", "squid"],
        };
        var runs = new Option<int>("--runs") { Description = "Runs of each case.", DefaultValueFactory = _ => 3 };
        var append =
            new Option<bool>("--append") { Description = "Adds the runs to the saved ones of the same case instead of replacing them." };
        var dry = new Option<bool>("--dry") { Description = "Saves nothing." };
        Option<string?> breakwater = BreakwaterOption();
        Option<string> congestion = CongestionOption();
        var link = new Option<string?>("--link")
        {
            Description = "Rate of the link between all of them, e.g. 10gbit, with packets of 1,500 bytes; without it loopback as it is.",
        };
        var command = new Command("race", "Runs the race, or a part of it, and saves what it measured in perf/results.")
        {
            only, cases, peers, runs, append, dry, breakwater, congestion, link,
        };
        command.SetAction(parsed =>
        {
            string root = Surroundings.Root();
            string[] who = NamesIn(parsed.GetRequiredValue(peers));
            bool hasUs = who.Any(p => p.StartsWith("breakwater", StringComparison.Ordinal));
            string? built = hasUs ? parsed.GetValue(breakwater) ?? Published.Known ?? Published.Build(root) : null;
            if (Apart.Run(parsed.GetRequiredValue(congestion), built, parsed.GetValue(link)) is { } ended)
            {
                return ended;
            }

            var context = new RaceContext
            {
                Link = parsed.GetValue(link),
                Peers = who,
                Runs = parsed.GetValue(runs),
                BreakwaterDirectory = built,
                Congestion = parsed.GetRequiredValue(congestion),
                Commit = Surroundings.Commit(root),
                Root = root,
            };
            string[] wanted = NamesIn(parsed.GetRequiredValue(cases));
            bool Wanted(string id) => wanted.Length == 0 || wanted.Any(w => id.Contains(w, StringComparison.Ordinal));
            bool adds = parsed.GetValue(append), saves = !parsed.GetValue(dry);
            IReadOnlyDictionary<string, string> versions = Versions(context);
            bool hasRun = false;
            string[] scenarios = NamesIn(parsed.GetRequiredValue(only));
            foreach (RaceCase one in scenarios.SelectMany(s => Scenario(context, s, Wanted)).SelectMany(c => c))
            {
                hasRun = true;
                if (saves)
                {
                    // Case by case: a race that is interrupted keeps what it has measured.
                    Save(root, one, versions, adds);
                }
            }

            if (saves)
            {
                Report.Write(root, RaceResults.Load(ResultsFile(root))!);
            }

            if (!hasRun)
            {
                Console.Error.WriteLine($"no case of {string.Join(", ", scenarios)} has a name like "
                    + $"{string.Join(" or ", wanted)}; saved names are in perf/results/race.json");
                return 1;
            }

            return 0;
        });
        return command;
    }

    private static string[] NamesIn(string[] given) =>
        [.. given.SelectMany(one => one.Split(['|', ',', ' '], StringSplitOptions.RemoveEmptyEntries))];

    private static Option<string?> BreakwaterOption()
    {
        var option = new Option<string?>("--breakwater")
        {
            Description = "The folder of a published Breakwater; without it one is published first.",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } folder && !File.Exists(Path.Combine(folder, "breakwater.dll")))
            {
                result.AddError($"--breakwater wants the folder that `dotnet publish proxy` wrote; there is no breakwater.dll in {folder}");
            }
        });
        return option;
    }

    private static Option<string> CongestionOption() => new("--congestion")
    {
        Description = "TCP congestion control of every connection, whoever makes it.",
        DefaultValueFactory = _ => "cubic",
    };

    private static Command WriteReport()
    {
        var command = new Command("report", "Writes race.md, race.html and the README's part from the saved results.");
        command.SetAction(_ =>
        {
            string root = Surroundings.Root();
            Report.Write(root, RaceResults.Load(ResultsFile(root))
                ?? throw new FileNotFoundException("perf/results/race.json is missing: run `race` first"));
        });
        return command;
    }

    /// <summary>Before and after a change: Breakwater and nginx, in less than 3 minutes, against the saved ratios.</summary>
    private static Command Quick()
    {
        Option<string?> breakwater = BreakwaterOption();
        Option<string> congestion = CongestionOption();
        var command =
            new Command("quick", "A short race against nginx only; prints ratios now and as saved. Saves nothing.") { breakwater,
            congestion };
        command.SetAction(parsed =>
        {
            string root = Surroundings.Root();
            string built = parsed.GetValue(breakwater) ?? Published.Known ?? Published.Build(root);
            if (Apart.Run(parsed.GetRequiredValue(congestion), built) is { } ended)
            {
                return ended;
            }

            var context = new RaceContext
            {
                Peers = ["breakwater", "nginx"],
                Runs = 2,
                BreakwaterDirectory = built,
                Congestion = parsed.GetRequiredValue(congestion),
                Commit = Surroundings.Commit(root),
                Root = root,
                Measured = TimeSpan.FromSeconds(2),
            };
            RaceContext once = context with { Runs = 1 };
            RaceCase[] now =
            [
                .. new[] { "4KB", "32KB", "256KB", "8MB" }.SelectMany(size => HotScenario.Run(context, size, [64])),
                .. StormScenario.Run(once, 100, 403),
                .. FollowersScenario.Run(once, "followers/1000-4MBps"),
                .. RestartScenario.Run(once),
            ];
            QuickTable.Print(now, RaceResults.Load(ResultsFile(root)));
            return 0;
        });
        return command;
    }

    private static string ResultsFile(string root) => Path.Combine(root, "perf", "results", "race.json");

    private static Dictionary<string, string> Versions(RaceContext context)
    {
        var versions = new Dictionary<string, string>();
        foreach (string name in context.Peers)
        {
            using Peer peer = context.Create(name);
            versions[name] = peer.Version();
        }

        return versions;
    }

    private static void Save(string root, RaceCase one, IReadOnlyDictionary<string, string> versions, bool append)
    {
        string file = ResultsFile(root);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        RaceResults known = RaceResults.Load(file) ?? new RaceResults { Machine = "", Versions = versions, Cases = [] };
        (known with { Machine = Surroundings.Machine() }).With([one], versions, append).Save(file);
    }

    private static IEnumerable<IEnumerable<RaceCase>> Scenario(RaceContext context, string name, Func<string, bool> wanted)
    {
        switch (name)
        {
            case "hot":
                foreach (string size in HotScenario.Sizes.Keys)
                {
                    int[] connections = [.. HotScenario.Connections.Where(c => wanted($"hot/{size}/{c}"))];
                    if (connections.Length > 0)
                    {
                        yield return HotScenario.Run(context, size, connections);
                    }
                }

                break;
            case "idle" when wanted("idle/8000"):
                yield return IdleScenario.Run(context);
                break;
            case "storm":
                foreach ((int vms, int objects) in new[] { (100, 403), (1000, 403), (2000, 100) })
                {
                    if (wanted($"storm/{vms}x{objects}"))
                    {
                        yield return StormScenario.Run(context, vms, objects);
                    }
                }

                break;
            case "followers":
                foreach (string id in FollowersScenario.Cases.Select(c => c.Id).Where(wanted))
                {
                    yield return FollowersScenario.Run(context, id);
                }

                break;
            case "slow":
                yield return SlowScenario.Run(context);
                break;
            case "restart":
                yield return RestartScenario.Run(context);
                break;
            case "misses":
                yield return MissScenario.Run(context);
                break;
            case "revision":
                yield return MiniosScenario.Revision(context);
                break;
            case "minios":
                foreach (int vms in new[] { 1000, 10_000 }.Where(v => wanted($"minios/{v}")))
                {
                    yield return MiniosScenario.Storm(context, vms);
                }

                break;
            default:
                if (!s_scenarios.Contains(name))
                {
                    throw new ArgumentException($"'{name}' is no scenario; choose from {string.Join(", ", s_scenarios)}");
                }

                break;
        }
    }
}

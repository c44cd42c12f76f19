using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Breakwater.ClusterSim;

// ClusterSim [--vms N] [--nodes N] [--fault NAME] [--save]    storms of boots over 3, 10 and 100 nodes, with each fault; --save writes
// perf/results/cluster-sim.json
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int vms = int.Parse(Value("--vms") ?? "100000", CultureInfo.InvariantCulture);
int[] nodes = Value("--nodes") is { } count ? [int.Parse(count, CultureInfo.InvariantCulture)] : [3, 10, 100];
Fault[] faults = Value("--fault") is { } fault ? [Enum.Parse<Fault>(fault)] : Enum.GetValues<Fault>();
List<SimResult> results = [];
Console.WriteLine("nodes fault            copies (not lost)  moved (limit)      VM max/mean  owner max/mean, "
    + "peak MB/s  longest wait s  boot s, slowest");
foreach (int n in nodes)
{
    foreach (Fault one in faults)
    {
        SimResult result = Simulation.Run(new SimOptions { Nodes = n, Vms = vms, Fault = one });
        results.Add(result);
        string gaveUp = result.Booted == vms ? "" : $"  {vms - result.Booted} GAVE UP";
        Console.WriteLine(
            $"{n,5} {one,-15} {result.Copies,7:0.0000} ({result.CopiesWithoutLost:0.0000})     "
            + $"{result.MovedShare:0.0000} ({result.MovedLimit:0.0000})  "
            + $"{result.VmBytesMaxByMean,10:0.000}  {result.OwnerEgressMaxByMean,10:0.00} {result.OwnerEgressPeakMBps,8:0.0}  "
            + $"{result.LongestWaitSeconds,14:0.000}  {result.MedianBootSeconds:0.0}, {result.SlowestBootSeconds:0.0}{gaveUp}");
    }
}

if (args.Contains("--save"))
{
    File.WriteAllText("perf/results/cluster-sim.json", JsonSerializer.Serialize(new
    {
        Machine = $"virtual clock: the same on every machine; .NET {Environment.Version}, {RuntimeInformation.OSDescription}",
        Model = "30 images of 403 objects, 20,000 others, Zipf 0.9; boots begin within 60 s; Stratum 1 30 ms away; probes 2 s/5 s/3",
        Results = results,
    }, new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase }) + "\n");
}

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

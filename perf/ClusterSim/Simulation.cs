using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Breakwater.ClusterSim;

/// <summary>Runs a storm of boots over the nodes of a site.</summary>
internal static class Simulation
{
    /// <summary>One run; the same options give the same result on every machine.</summary>
    public static SimResult Run(SimOptions options)
    {
        var site = new Site(options);
        site.Start();
        List<double> boots = [];
        int ended = 0;
        long longest = 0;
        void Ended(SimVm vm)
        {
            ended++;
            longest = Math.Max(longest, vm.LongestWait);
            if (vm.HasBooted)
            {
                boots.Add(vm.Seconds);
            }
        }

        for (int i = 0; i < options.Vms; i++)
        {
            int number = i;
            site.Clock.After(options.ArrivalSeconds * 1_000_000L * i / options.Vms, () => new SimVm(site, number, Ended).Run());
        }

        site.Clock.Run(() => ended == options.Vms);
        return Result(options, site, boots, longest);
    }

    private static SimResult Result(SimOptions options, Site site, List<double> boots, long longest)
    {
        int objects = site.Asked.Count(asked => asked);
        SimNode[] whole = [.. site.Nodes.Where(node => node.IsWhole)];
        whole = whole.Length > 0 ? whole : [.. site.Nodes];
        boots.Sort();
        string bytes = string.Join(' ', site.Nodes.Select(node => node.ToVms.Bytes));
        string all = string.Create(CultureInfo.InvariantCulture,
            $"{site.UpstreamRequests} {site.Borrowed} {site.Hedges} {longest} {boots.Sum():R} {bytes}");
        return new SimResult(
            options.Nodes, options.Vms, options.Fault.ToString(), boots.Count, objects, site.UpstreamRequests,
            Math.Round(site.UpstreamRequests / (double)objects, 4), site.LostUpstreamRequests,
            Math.Round((site.UpstreamRequests - site.LostUpstreamRequests) / (double)objects, 4), site.Borrowed, site.Moved,
            Math.Round(site.MovedShare, 5), options.Fault == Fault.Join ? Math.Round(1.1 / (options.Nodes + 1), 5) : 0,
            MaxByMean(whole.Select(node => node.ToVms.Bytes)), MaxByMean(whole.Select(node => node.ToNodes.Bytes)),
            Math.Round(site.Nodes.Max(node => node.ToNodes.PeakMegabytes), 1),
            Math.Round(site.Nodes.Max(node => node.ToVms.PeakMegabytes), 1),
            site.Nodes.Sum(node => node.Strikes.Total), site.Hedges, Math.Round(longest / 1e6, 3),
            Math.Round(boots.Count == 0 ? 0 : boots[boots.Count / 2], 2), Math.Round(boots.Count == 0 ? 0 : boots[^1], 2),
            Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(all)).AsSpan(0, 8)));
    }

    private static double MaxByMean(IEnumerable<long> bytes)
    {
        long[] all = [.. bytes];
        return all.Length == 0 || all.Sum() == 0 ? 0 : Math.Round(all.Max() / all.Average(), 3);
    }
}

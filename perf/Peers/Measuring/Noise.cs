using System.Globalization;

namespace Breakwater.Peers.Measuring;

/// <summary>What the machine was doing besides: the share of processor time that went to strangers or was stolen by the host.</summary>
/// <param name="BusySeconds">Processor time used by anybody.</param>
/// <param name="StolenSeconds">Processor time that the host kept from this virtual machine.</param>
/// <param name="OursSeconds">Processor time of the race and of the peer.</param>
internal readonly record struct Noise(double BusySeconds, double StolenSeconds, double OursSeconds)
{
    /// <summary>As of now.</summary>
    public static Noise Now(ProcessTree peer)
    {
        // cpu user nice system idle iowait irq softirq steal
        double[] fields = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Select(f => double.Parse(f, CultureInfo.InvariantCulture) / 100)];
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        return new Noise(fields[0] + fields[1] + fields[2] + fields[5] + fields[6], fields[7],
            self.TotalProcessorTime.TotalSeconds + peer.CpuSeconds());
    }

    /// <summary>Percent of all processor time since then that was neither ours nor idle.</summary>
    public double PercentSince(Noise before, TimeSpan elapsed)
    {
        double strangers = Math.Max(0, BusySeconds - before.BusySeconds - (OursSeconds - before.OursSeconds));
        return 100 * (strangers + StolenSeconds - before.StolenSeconds) / (elapsed.TotalSeconds * Environment.ProcessorCount);
    }
}

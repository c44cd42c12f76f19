using System.Globalization;

namespace Breakwater.Storm.Vms;

/// <summary>When the VMs of a storm start.</summary>
internal static class Arrival
{
    /// <summary>
    /// Start times, ascending. <c>once</c>: all at 0. <c>poisson:R</c>: R a second on average. <c>ramp:S</c>: evenly over S seconds.
    /// <c>leader:MS</c>: the first at 0, all others MS milliseconds later.
    /// </summary>
    /// <exception cref="FormatException">None of these.</exception>
    public static IReadOnlyList<TimeSpan> Parse(string curve, int vms, int seed)
    {
        string[] parts = curve.Split(':');
        double number = parts.Length == 2 ? double.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        switch (parts[0])
        {
            case "once":
                return [.. Enumerable.Repeat(TimeSpan.Zero, vms)];
            case "ramp":
                return [.. Enumerable.Range(0, vms).Select(i => TimeSpan.FromSeconds(i * number / vms))];
            case "leader":
                return [.. Enumerable.Range(0, vms).Select(i => TimeSpan.FromMilliseconds(i == 0 ? 0 : number))];
            case "poisson" when number > 0:
                var random = new Random(seed);
                var starts = new TimeSpan[vms];
                double at = 0;
                for (int i = 0; i < vms; i++)
                {
                    starts[i] = TimeSpan.FromSeconds(at);
                    at -= Math.Log(1 - random.NextDouble()) / number;
                }

                return starts;
            default:
                throw new FormatException($"'{curve}' is no arrival curve; write once, poisson:PER_SECOND, ramp:SECONDS or leader:MS");
        }
    }
}

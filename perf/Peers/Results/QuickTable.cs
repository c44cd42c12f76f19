using System.Globalization;

namespace Breakwater.Peers.Results;

/// <summary>Ratios of now beside the saved ones.</summary>
internal static class QuickTable
{
    /// <summary>Prints a row a figure; the ratio is Breakwater ÷ nginx.</summary>
    public static void Print(IReadOnlyList<RaceCase> now, RaceResults? saved)
    {
        Console.WriteLine();
        Console.WriteLine($"{"case",-24} {"figure",-20} {"breakwater",12} {"nginx",12} {"ratio now",10} {"saved",10} {"now÷saved",10}");
        foreach (RaceCase one in now)
        {
            string[] figures = one.Scenario switch
            {
                "hot" => ["requestsPerSecond", "serverUs"],
                "restart" => ["servingSeconds"],
                _ => ["seconds", "serverUs", "peakAnonymousMb"],
            };
            RaceCase? before = saved?.Cases.FirstOrDefault(c => c.Id == one.Id);
            foreach (string figure in figures)
            {
                double? ratio = Ratio(one, figure), old = before is null ? null : Ratio(before, figure);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{one.Id,-24} {figure,-20} {one.Median("breakwater", figure),12:#,0.##} "
                    + $"{one.Median("nginx", figure),12:#,0.##} {ratio,10:0.00} {old,10:0.00} {ratio / old,10:0.00}"));
            }
        }
    }

    private static double? Ratio(RaceCase one, string figure) => one.Median("breakwater", figure) / one.Median("nginx", figure);
}

using System.Globalization;
using System.Text.RegularExpressions;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>Wall time jumps. Every place in the product that reads it is listed, with the reason why it may, in ADR 0030.</summary>
public sealed partial class WallClockTests
{

    [Fact]
    public void Sources_EveryReadOfWallTime_IsListedWithItsReason()
    {
        List<string> found = [];
        foreach (string file
            in ((string[])["proxy", "cachestore"]).SelectMany(folder =>
            Directory.EnumerateFiles(Checkout.PathOf(folder), "*.cs", SearchOption.AllDirectories)))
        {
            string path = Path.GetRelativePath(Checkout.Root, file);
            int uses = File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
                .Sum(line => WallTime().Count(line));
            if (uses > 0 && !path.Contains("/obj/", StringComparison.Ordinal))
            {
                found.Add(string.Create(CultureInfo.InvariantCulture, $"{path}: {uses}"));
            }
        }

        IEnumerable<string> listed =
            File.ReadLines(Checkout.PathOf("docs", "develop", "adr", "0030-no-age-from-the-wall-clock-alone.md"))
            .Select(line => Row().Match(line))
            .Where(row => row.Success)
            .Select(row => $"{row.Groups[1].Value}: {row.Groups[2].Value}");
        Assert.Equal(listed.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"\b(UtcNow|GetUtcNow|GetLocalNow|DateTime(Offset)?\.Now|DateTime\.Today|"
        + @"(Get)?(Last(Write|Access)|Creation)Time(Utc)?|clock_gettime|gettimeofday)\b")]
    private static partial Regex WallTime();

    [GeneratedRegex(@"^\| `([^`]+)` \| (\d+) \| .{20,} \|$")]
    private static partial Regex Row();
}

using System.Reflection;
using Breakwater.CacheStore;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Settings;

public sealed class SettingBoundsTests
{
    /// <summary>Each setting that has bounds, at both of them and just beyond.</summary>
    [Fact]
    public void Check_EachSettingWithBounds_MayBeWhatTheyNameAndNoMore()
    {
        Assert.True(SettingBounds.All.Count > 20);
        foreach ((PropertyInfo section, PropertyInfo setting, BetweenAttribute bounds) in SettingBounds.All)
        {
            Type type = Nullable.GetUnderlyingType(setting.PropertyType) ?? setting.PropertyType;
            (IComparable least, IComparable most) = bounds.As(type);

            Assert.Empty(Check(section, setting, least));
            Assert.Empty(Check(section, setting, most));
            foreach (object beyond in (object[])[Beyond(least, -1), Beyond(most, 1)])
            {
                string said = Assert.Single(Check(section, setting, beyond));
                Assert.StartsWith($"{section.Name}:{setting.Name}: ", said, StringComparison.Ordinal);
                Assert.EndsWith(bounds.Unit + ".", said, StringComparison.Ordinal);
                Assert.DoesNotContain(" .", said, StringComparison.Ordinal);
            }

            if (type == typeof(double))
            {
                Assert.Single(Check(section, setting, double.NaN));
            }
        }
    }

    private static object Beyond(object bound, int by) => bound switch
    {
        int number => number + by,
        long number => number + by,
        double number => number + (by * 0.001),
        TimeSpan time => time + TimeSpan.FromTicks(by),
        _ => throw new InvalidOperationException($"{bound.GetType()} has bounds"),
    };

    private static List<string> Check(PropertyInfo section, PropertyInfo setting, object value)
    {
        BreakwaterSettings settings = new()
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new StoreOptions(),
            Repositories = new Dictionary<string, RepositoryOptions>(),
        };
        setting.SetValue(section.GetValue(settings), value);
        List<string> errors = [];
        SettingBounds.Check(settings, errors);
        return errors;
    }
}

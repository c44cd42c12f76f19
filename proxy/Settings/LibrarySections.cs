using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// The sections that libraries read, logging's and YARP's: read here as those will read them, so that their mistakes are found with all
/// others. Found later, by the library, they would put a changed file into force by halves, or end the process from a thread that nobody
/// watches.
/// </summary>
internal static class LibrarySections
{
    /// <summary>A timer of the runtime, as YARP uses them, takes 49 days at most.</summary>
    private static readonly TimeSpan s_longestPeriod = TimeSpan.FromDays(7);

    private static readonly string[] s_formatters =
        [ConsoleFormatterNames.Simple, ConsoleFormatterNames.Json, ConsoleFormatterNames.Systemd];

    private static readonly string[] s_periods =
        ["HealthCheck:Active:Interval", "HealthCheck:Active:Timeout", "HealthCheck:Passive:ReactivationPeriod"];

    /// <summary>Adds a line to <paramref name="errors"/> for each mistake; a cluster that is named there already is left out.</summary>
    public static void Check(IConfiguration configuration, List<string> errors)
    {
        CheckLogging(configuration.GetSection("Logging"), errors);
        CheckPeriods(configuration, errors);
        CheckReverseProxy(Plain(configuration.GetSection("ReverseProxy")), errors);
    }

    private static void CheckLogging(IConfigurationSection logging, List<string> errors)
    {
        int before = errors.Count;
        IConfigurationSection[] tables =
            [.. logging.GetChildren()
            .Select(child => child.Key.Equals("LogLevel", StringComparison.OrdinalIgnoreCase) ? child : child.GetSection("LogLevel"))];
        errors.AddRange(tables.Where(table => !string.IsNullOrEmpty(table.Value))
            .Select(table => $"{table.Path}: categories with levels belong here: {{ \"Default\": \"{table.Value}\" }}."));
        errors.AddRange(tables.SelectMany(table => table.GetChildren()).Where(level => !IsLevel(level.Value))
            .Select(level => $"{level.Path}: '{level.Value}' is not one of {string.Join(", ", Enum.GetNames<LogLevel>())}."));
        IConfigurationSection formatter = logging.GetSection("Console:FormatterName");
        if (!string.IsNullOrEmpty(formatter.Value) && !s_formatters.Contains(formatter.Value, StringComparer.OrdinalIgnoreCase))
        {
            errors.Add($"{formatter.Path}: '{formatter.Value}' is not one of {string.Join(", ", s_formatters)}.");
        }

        if (errors.Count == before && Failure(() => Bind(logging)) is { } problem)
        {
            errors.Add($"{logging.Path}: {problem}");
        }
    }

    /// <summary>Makes of the section what the console's logger makes of it.</summary>
    private static void Bind(IConfigurationSection logging)
    {
        using ServiceProvider services = new ServiceCollection().AddLogging(builder => builder.AddConfiguration(logging).AddConsole())
            .BuildServiceProvider();
        _ = Current<LoggerFilterOptions>(services);
        _ = Current<ConsoleLoggerOptions>(services);
        foreach (ConsoleFormatterOptions formatter in (ConsoleFormatterOptions[])
            [Current<ConsoleFormatterOptions>(services), Current<SimpleConsoleFormatterOptions>(services),
            Current<JsonConsoleFormatterOptions>(services)])
        {
            _ = DateTimeOffset.UnixEpoch.ToString(formatter.TimestampFormat, CultureInfo.InvariantCulture);
        }
    }

    private static T Current<T>(ServiceProvider services) => services.GetRequiredService<IOptionsMonitor<T>>().CurrentValue;

    private static bool IsLevel(string? text) =>
        string.IsNullOrEmpty(text) || (Enum.TryParse(text, ignoreCase: true, out LogLevel level) && Enum.IsDefined(level));

    private static void CheckPeriods(IConfiguration configuration, List<string> errors) =>
        errors.AddRange(ClusterSections.Of(configuration).SelectMany(cluster => s_periods.Select(period => cluster.GetSection(period)))
            .Where(period => TimeSpan.TryParse(period.Value, CultureInfo.InvariantCulture, out TimeSpan time)
            && (time <= TimeSpan.Zero || time > s_longestPeriod))
            .Select(period => $"{period.Path}: {period.Value} is not more than zero and at most {s_longestPeriod.TotalDays:0} days."));

    /// <summary>One cluster after the other: YARP stops at the first value that it cannot read.</summary>
    private static void CheckReverseProxy(IConfiguration configuration, List<string> errors)
    {
        IConfigurationSection whole = configuration.GetSection("ReverseProxy");
        IEnumerable<IConfigurationSection> rest = whole.GetChildren()
            .Where(child => !child.Key.Equals("Clusters", StringComparison.OrdinalIgnoreCase));
        foreach (IConfigurationSection part in ClusterSections.Of(configuration).Concat(rest))
        {
            if (!errors.Any(error => error.StartsWith($"{part.Path}:", StringComparison.OrdinalIgnoreCase)))
            {
                errors.AddRange(Problems(Plain(part).GetSection(whole.Path)).Select(problem => $"{part.Path}: {problem}"));
            }
        }
    }

    private static List<string> Problems(IConfigurationSection reverseProxy)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddReverseProxy().LoadFromConfig(reverseProxy);
        PlainKeys.Use(services);
        using ServiceProvider provider = services.BuildServiceProvider();
        List<string> problems = [];
        if (Failure(() => problems.AddRange(Judge(provider).Select(Message))) is { } unreadable)
        {
            problems.Add(unreadable);
        }

        return problems;
    }

    private static List<Exception> Judge(ServiceProvider provider)
    {
        IProxyConfig config = provider.GetRequiredService<IProxyConfigProvider>().GetConfig();
        IConfigValidator validator = provider.GetRequiredService<IConfigValidator>();
        return [.. config.Clusters.SelectMany(cluster => validator.ValidateClusterAsync(cluster).AsTask().GetAwaiter().GetResult()),
            .. config.Routes.SelectMany(route => validator.ValidateRouteAsync(route).AsTask().GetAwaiter().GetResult())];
    }

    /// <summary>The values below a section, without those that are set to null.</summary>
    private static IConfigurationRoot Plain(IConfigurationSection section) =>
        new ConfigurationBuilder().AddInMemoryCollection(section.AsEnumerable().Where(value => value.Value is not null)).Build();

    /// <summary>What a library says of what it cannot read; null: it can.</summary>
    private static string? Failure(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Each library has kinds of its own for it.
            return Message(e);
        }
    }

    private static string Message(Exception e) =>
        e is TargetInvocationException or AggregateException && e.InnerException is { } inner ? Message(inner) : e.Message;
}

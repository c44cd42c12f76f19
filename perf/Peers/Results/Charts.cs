using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Breakwater.Peers.Results;

/// <summary>The report's charts as SVG, drawn by OxyPlot.</summary>
internal static class Charts
{
    private const double SliceSeconds = 0.1;

    private static readonly Dictionary<string, OxyColor> s_colors = new()
    {
        ["breakwater"] = OxyColor.FromRgb(0x0b, 0x6e, 0x99),
        ["breakwater+known"] = OxyColor.FromRgb(0x4f, 0xb3, 0xd9),
        ["nginx"] = OxyColor.FromRgb(0x2e, 0x8b, 0x57),
        ["varnish"] = OxyColor.FromRgb(0xb0, 0x5a, 0x9c),
        ["ats"] = OxyColor.FromRgb(0xd9, 0x8c, 0x21),
        ["squid"] = OxyColor.FromRgb(0xb3, 0x3a, 0x3a),
    };

    /// <summary>All charts that the results allow, by name.</summary>
    public static IReadOnlyDictionary<string, string> All(RaceResults results)
    {
        var charts = new Dictionary<string, string>();
        RaceCase[] hot =
            [.. Scenarios.HotScenario.Sizes.Keys.Select(s => results.Cases.FirstOrDefault(c => c.Id == $"hot/{s}/64")).OfType<RaceCase>()
            .Where(c => !Tables.IsTooNoisy(c))];
        if (hot.Length > 0)
        {
            charts["hits"] = Svg(Ratios("Hits, 64 connections: requests/s ÷ nginx", hot), 720, 110 + (hot.Length * 90));
        }

        foreach (RaceCase storm in results.Cases.Where(c => c.Scenario is "storm" or "minios"))
        {
            string name = storm.Id.Replace('/', '-');
            charts[$"{name}-finished"] = Svg(Curves($"{storm.Title}: VMs finished", "VMs", storm, "finished"), 720, 320);
            charts[$"{name}-upstream"] =
                Svg(Curves($"{storm.Title}: requests in progress upstream", "requests", storm, "upstreamConcurrency"), 720, 320);
            charts[$"{name}-bytes"] = Svg(Tiers(storm), 720, 300);
        }

        return charts;
    }

    private static PlotModel Ratios(string title, IReadOnlyList<RaceCase> cases)
    {
        PlotModel model = Model(title);
        var sizes = new CategoryAxis { Position = AxisPosition.Left, StartPosition = 1, EndPosition = 0, GapWidth = 0.3 };
        sizes.Labels.AddRange(cases.Select(c => c.Id.Split('/')[1]));
        model.Axes.Add(sizes);
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0, MajorGridlineStyle = LineStyle.Dot });
        foreach (string peer in Tables.PeersOf(cases).Where(p => p != "squid-16mb"))
        {
            var bars = new BarSeries
            {
                Title = peer,
                FillColor = ColorOf(peer),
                StrokeThickness = 0,
                LabelFormatString = "{0:0.00}",
                FontSize = 9
            };
            bars.Items.AddRange(cases.Select((c, i) => new BarItem(
                c.Median(peer, "requestsPerSecond") / c.Median("nginx", "requestsPerSecond") ?? double.NaN, i)));
            model.Series.Add(bars);
        }

        return model;
    }

    private static PlotModel Curves(string title, string unit, RaceCase one, string series)
    {
        PlotModel model = Model(title);
        model.Axes.Add(
            new LinearAxis { Position = AxisPosition.Bottom, Title = "seconds", Minimum = 0, MajorGridlineStyle = LineStyle.Dot });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Title = unit, Minimum = 0, MajorGridlineStyle = LineStyle.Dot });
        foreach (string peer in Tables.PeersOf([one]))
        {
            IReadOnlyList<double>? values = one.Runs.LastOrDefault(r => r.Peer == peer)?.Series.GetValueOrDefault(series);
            var line = new LineSeries { Title = peer, Color = ColorOf(peer), StrokeThickness = 1.8 };
            line.Points.AddRange((values ?? []).Select((v, i) => new DataPoint((i + 1) * SliceSeconds, v)));
            model.Series.Add(line);
        }

        return model;
    }

    private static PlotModel Tiers(RaceCase one)
    {
        PlotModel model = Model($"{one.Title}: megabytes to clients by tier");
        string[] peers = Tables.PeersOf([one]);
        var axis = new CategoryAxis { Position = AxisPosition.Left, StartPosition = 1, EndPosition = 0 };
        axis.Labels.AddRange(peers);
        model.Axes.Add(axis);
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0, Title = "MB", MajorGridlineStyle = LineStyle.Dot });
        var cache = new BarSeries
        {
            Title = "from the cache or a running fetch",
            IsStacked = true,
            FillColor = OxyColor.FromRgb(0x0b, 0x6e, 0x99),
            StrokeThickness = 0
        };
        var upstream =
            new BarSeries
            {
                Title = "fetched upstream",
                IsStacked = true,
                FillColor = OxyColor.FromRgb(0xb3, 0x3a, 0x3a),
                StrokeThickness = 0
            };
        for (int i = 0; i < peers.Length; i++)
        {
            double up = one.Median(peers[i], "upstreamBytes") / 1e6 ?? 0;
            upstream.Items.Add(new BarItem(up, i));
            cache.Items.Add(new BarItem(Math.Max(0, (one.Median(peers[i], "clientBytes") / 1e6 ?? 0) - up), i));
        }

        model.Series.Add(upstream);
        model.Series.Add(cache);
        return model;
    }

    private static PlotModel Model(string title)
    {
        var model = new PlotModel
        {
            Title = title,
            DefaultFont = "sans-serif",
            TitleFontSize = 13,
            TitleFontWeight = FontWeights.Normal,
            Background = OxyColors.White,
            PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1)
        };
        model.Legends.Add(
            new Legend
            {
                LegendPlacement = LegendPlacement.Outside,
                LegendPosition = LegendPosition.RightTop,
                LegendFontSize = 11,
                LegendLineSpacing = 6
            });
        return model;
    }

    private static OxyColor ColorOf(string peer) => s_colors.GetValueOrDefault(peer, OxyColors.Gray);

    private static string Svg(PlotModel model, int width, int height)
    {
        string svg = new SvgExporter { Width = width, Height = height }.ExportToString(model);

        // Several charts stand in one HTML file: names must not clash, and the XML declaration has no place there.
        string prefix =
            "c" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(model.Title))
            .AsSpan(0, 4));
        return svg[svg.IndexOf("<svg", StringComparison.Ordinal)..]
            .Replace("clipPath", prefix + "-clip", StringComparison.Ordinal)
            .Replace($"<{prefix}-clip", "<clipPath", StringComparison.Ordinal)
            .Replace($"</{prefix}-clip", "</clipPath", StringComparison.Ordinal);
    }
}
